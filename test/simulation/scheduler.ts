/**
 * A world in which everything happens at a moment that chance names, one thing after the other. Whoever
 * touches something outside itself waits for its moment here, so chance decides who comes first, who is
 * slow, and who dies: a process that has crashed never hears the answer it waits for.
 */
import { setImmediate } from 'node:timers/promises'
import type { Chance } from './chance.ts'

export interface Process {
  readonly name: string
  /** How far its clock is ahead, in milliseconds. */
  readonly skewMs: number
  alive: boolean
}

export interface Scheduler {
  nowMs(): number
  /** Lets `happen` happen at a moment; before what has been put there already, if it is earlier. */
  at(whenMs: number, happen: () => void): void
  /**
   * Does something outside a process for it: after a while, and perhaps the process does not live until then,
   * or not until it hears what came of it. `lose` is called when it is never begun.
   */
  call<T>(process: Process, effect: () => Promise<T>, options?: CallOptions): Promise<T>
  /** Runs until nothing is left to happen. */
  run(): Promise<void>
  /** From now on nobody crashes and everything is quick. */
  calm(): void
  readonly crashes: () => number
}

export interface CallOptions {
  readonly mayCrash?: boolean
  readonly lose?: () => void
}

const CRASH_BEFORE = 0.004
const CRASH_AFTER = 0.004
const SLOW_REPLY = 0.15

interface Moment {
  readonly atMs: number
  readonly turn: number
  readonly happen: () => void
}

export function schedulerFrom(startMs: number, chance: Chance): Scheduler {
  const moments: Moment[] = []
  let nowMs = startMs
  let turn = 0
  let isCalm = false
  let crashes = 0

  /** Mostly a few milliseconds; now and then as long as a machine that swaps or sleeps. */
  function latencyMs(): number {
    const kind = isCalm ? 0 : chance.fraction()
    if (kind < 0.93) return chance.whole(1, 40)
    return kind < 0.995 ? chance.whole(40, 4_000) : chance.whole(4_000, 200_000)
  }

  function at(whenMs: number, happen: () => void): void {
    const moment = { atMs: Math.max(whenMs, nowMs), turn: turn++, happen }
    let place = moments.push(moment) - 1
    for (; place > 0; ) {
      const parent = (place - 1) >> 1
      if (!isBefore(moment, moments[parent]!)) break
      moments[place] = moments[parent]!
      place = parent
    }
    moments[place] = moment
  }

  function take(): Moment | undefined {
    const first = moments[0]
    const last = moments.pop()
    if (first === undefined || last === undefined || first === last) return first
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= moments.length) break
      if (child + 1 < moments.length && isBefore(moments[child + 1]!, moments[child]!)) child += 1
      if (!isBefore(moments[child]!, last)) break
      moments[place] = moments[child]!
      place = child
    }
    moments[place] = last
    return first
  }

  function dies(process: Process, probability: number, mayCrash: boolean): boolean {
    if (!process.alive) return true
    if (isCalm || !mayCrash || !chance.happens(probability)) return false
    process.alive = false
    crashes += 1
    return true
  }

  function call<T>(
    process: Process,
    effect: () => Promise<T>,
    { mayCrash = true, lose = () => {} }: CallOptions = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const reply = (answer: () => void) => {
        const tell = () => {
          if (!dies(process, CRASH_AFTER, mayCrash)) answer()
        }
        if (chance.happens(SLOW_REPLY)) at(nowMs + latencyMs(), tell)
        else tell()
      }
      at(nowMs + latencyMs(), () => {
        if (dies(process, CRASH_BEFORE, mayCrash)) return lose()
        effect().then(
          value => reply(() => resolve(value)),
          error => reply(() => reject(error)),
        )
      })
    })
  }

  return {
    nowMs: () => nowMs,
    at,
    call,
    async run() {
      for (let next = take(); next !== undefined; next = take()) {
        nowMs = next.atMs
        next.happen()
        await quiet()
      }
    },
    calm: () => {
      isCalm = true
    },
    crashes: () => crashes,
  }
}

function isBefore(a: Moment, b: Moment): boolean {
  return a.atMs === b.atMs ? a.turn < b.turn : a.atMs < b.atMs
}

/**
 * Until everybody waits for a moment: no promise is left to settle. Work that is done elsewhere would end when it
 * likes, so there must be none.
 */
async function quiet(): Promise<void> {
  await setImmediate()
  const other = process.getActiveResourcesInfo().find(isElsewhere)
  if (other !== undefined) throw new Error(`Something waits for ${other} and not for its moment.`)
}

/** Files, threads, timers and connections; not the pipes to the parent process. */
const isElsewhere = (resource: string) => /^(FS|File|Zip|Zlib|Worker|MessagePort|Timeout|TCP)/i.test(resource)
