/** Runs seeds in processes of their own, so that all cores work and nothing else is loaded beside them. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Seeds {
  readonly from: number
  readonly count: number
  readonly processes: number
}

/** What came of a seed. */
export interface RanSeed {
  readonly seed: number
  /** The promises that were broken, as sentences. */
  readonly broken: readonly string[]
  /** A digest of all that the run did. */
  readonly trace: string
  readonly reports: number
  readonly parsed: number
  readonly crashes: number
  /** Requests of the store. */
  readonly calls: number
  /** How often each kind of trouble came to pass. */
  readonly troubles: ReadonlyArray<readonly [kind: string, times: number]>
}

export interface Totals {
  readonly seeds: number
  readonly reports: number
  readonly parsed: number
  readonly crashes: number
  readonly calls: number
  readonly troubles: ReadonlyMap<string, number>
}

/** Throws when a process ends before its seeds have. `hear` is told of each seed, in no order. */
export async function runSeeds(
  { from, count, processes }: Seeds,
  hear: (ran: RanSeed) => void,
): Promise<Totals> {
  const totals = { seeds: 0, reports: 0, parsed: 0, crashes: 0, calls: 0 }
  const troubles = new Map<string, number>()

  function add(ran: RanSeed): void {
    totals.seeds += 1
    totals.reports += ran.reports
    totals.parsed += ran.parsed
    totals.crashes += ran.crashes
    totals.calls += ran.calls
    for (const [kind, times] of ran.troubles) troubles.set(kind, (troubles.get(kind) ?? 0) + times)
    hear(ran)
  }

  await Promise.all(
    Array.from({ length: processes }, (_, index) => runShard(from + index, from + count, processes, add)),
  )
  return { ...totals, troubles }
}

async function runShard(from: number, to: number, step: number, hear: (ran: RanSeed) => void): Promise<void> {
  const shard = fork(besides('shard.ts'), [from, to, step].map(String), {
    // Little outlives a seed, so the heap stays small: marking it in steps costs more than it saves.
    execArgv: ['--no-incremental-marking', '--import', besides('no-disk.ts')],
  })
  let next = from
  shard.on('message', (ran: RanSeed) => {
    next = ran.seed + step
    hear(ran)
  })
  try {
    const [code, signal] = await once(shard, 'close')
    if (code !== 0 || next < to) throw new Error(`${replay(next)}: the process ended with ${code ?? signal}`)
  } finally {
    shard.kill()
  }
}

/** The line that runs a seed again. */
export function replay(seed: number): string {
  return `npm run soak -- --seed ${seed}`
}

function besides(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
