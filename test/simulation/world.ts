/**
 * One run: a few processes over one bucket, weeks or months of a provider, and then a quiet time in which
 * whatever can be finished is finished. The processes run the stages, the sweep and the plans as they are.
 */
import { createHash, type Hash } from 'node:crypto'
import { addDays, dayOf, monthOf } from '../../src/domain/calendar.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import { parseSlotKey, reportKeys } from '../../src/domain/keys.ts'
import { isUnsettled, type Slot } from '../../src/domain/quota.ts'
import type { ReportRequest } from '../../src/domain/report.ts'
import { advance } from '../../src/pipeline.ts'
import { applyPlan, askDue, makePlan, type PlannedAccount } from '../../src/planning.ts'
import type { Context } from '../../src/stages/context.ts'
import { importFile } from '../../src/stages/import.ts'
import { receive } from '../../src/stages/receive.ts'
import { settle } from '../../src/stages/settle.ts'
import { submit } from '../../src/stages/submit.ts'
import type { Body, ObjectStore } from '../../src/stores/object-store.ts'
import { quotaLedger } from '../../src/stores/quota-ledger.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { workLog } from '../../src/stores/work-log.ts'
import { moveOn, sweep } from '../../src/sweep.ts'
import { type MemoryObjects, memoryObjects, memoryStore } from '../support/memory-store.ts'
import { quietLog } from '../support/quiet-log.ts'
import { type Chance, chanceOf } from './chance.ts'
import { type Letter, madeFor, ODD_HOST, type ProviderModel, providerModel } from './provider-model.ts'
import { type Process, type Scheduler, schedulerFrom } from './scheduler.ts'
import { thread } from './thread.ts'
import { forgetWorkFiles } from './work-files.ts'

export const REF = { provider: 'binance-pay', account: 'main' }

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const POLICY = {
  firstMs: 2 * MINUTE,
  leastMs: MINUTE,
  expiredMs: HOUR,
  absentMs: 6 * HOUR,
  abandonMs: 2 * DAY,
}

/** What is left of a run to be judged. */
export interface FinishedRun {
  readonly seed: number
  readonly objects: MemoryObjects
  /** Reads the bucket as a process does, without waiting. */
  readonly context: Context
  readonly account: PlannedAccount
  readonly provider: ProviderModel
  readonly crashes: number
  /** What was seen to be wrong on the way. */
  readonly seen: readonly string[]
  /** Facts that were written by doing everything once more. */
  readonly writtenAgain: readonly string[]
  /** Requests of the store. */
  readonly calls: number
  /** A digest of all that was asked of the store and of the provider, when, and what came of it. */
  readonly trace: string
}

/** Turns of months and years, with and without a leap day, and days like any other. */
const STARTS = ['2027-02-26', '2028-02-27', '2027-12-29', '2027-04-28', '2027-06-10', '2028-01-29']

/** Modules that are loaded when they are first needed take a time that no seed knows, so it is taken before. */
export async function warmUp(): Promise<void> {
  for (const seed of [3, 17, 42]) await runSeed(seed)
}

export async function runSeed(seed: number): Promise<FinishedRun> {
  const chance = chanceOf(seed)
  const startMs = new Date(`${chance.pick(STARTS)}T00:00:00Z`).getTime() + chance.whole(0, DAY)
  const scheduler = schedulerFrom(startMs, chance)
  const objects = memoryObjects()
  const seen: string[] = []
  const trace = createHash('sha256')
  let folders = 0
  const monthlyLimit = chance.whole(2, 5)
  const provider = providerModel({
    chance,
    scheduler,
    limit: chance.happens(0.3) ? monthlyLimit - 1 : 50,
    maxDays: chance.whole(1, 3),
    deliver,
  })
  const planning = {
    reserve: chance.whole(0, 1),
    cadence: chance.pick(['daily', 'daily', 'off'] as const),
    earliestDay: addDays(dayOf(new Date(startMs)), -4),
  }
  const oneMachine = chance.happens(0.7)
  const slots: ({ process: Process; context: Context; account: PlannedAccount } | undefined)[] = []
  const processes = new Map<string, Process>()
  let isCalm = false
  let calls = 0

  const hands: Hands = {
    chance,
    scheduler,
    objects,
    seen,
    count: () => calls++,
    isCalm: () => isCalm,
    trace: line => trace.update(`${scheduler.nowMs()} ${line}\n`),
  }

  function start(place: number) {
    const process: Process = {
      name: `host:${processes.size + 1}`,
      skewMs: isCalm ? 0 : chance.whole(-2000, 2000),
      alive: true,
    }
    processes.set(process.name, process)
    const store = restlessStore(process, hands)
    const context = contextOver(store, process)
    const account: PlannedAccount = {
      ref: REF,
      provider: provider.abilitiesFor(process),
      monthlyLimit,
      zoneMinutes: undefined,
      columns: {},
      planning,
    }
    const started = { process, context, account }
    slots[place] = started
    return started
  }

  function contextOver(store: ObjectStore, process: Process): Context {
    return {
      store,
      ledger: quotaLedger(store),
      reports: reportLog(store),
      work: workLog(store),
      polling: POLICY,
      download: provider.downloaderFor(process),
      allowsHost: host => host !== ODD_HOST,
      clock: {
        now: () => new Date(scheduler.nowMs() + process.skewMs),
        sleep: ms => new Promise(resolve => scheduler.at(scheduler.nowMs() + ms, resolve)),
      },
      random: {
        hex: length =>
          chance
            .whole(0, 2 ** 32 - 1)
            .toString(16)
            .padStart(length, '0')
            .slice(0, length),
        fraction: chance.fraction,
      },
      log: quietLog(),
      processName: process.name,
      mayBeAlive: name => !oneMachine || processes.get(name)?.alive !== false,
      makeWorkFolder: async () => `work/${folders++}`,
    }
  }

  /** The process at a place; a new one where the last has died. */
  function at(place: number) {
    const standing = slots[place]
    return standing?.process.alive === true ? standing : start(place)
  }

  function deliver(letter: Letter, told: (acknowledged: boolean) => void): void {
    const { process, context, account } = at(chance.whole(0, 2))
    const headers = {
      key: letter.key,
      signed: new Date(letter.signedAtMs).toISOString(),
      ...(letter.forged && { forged: 'yes' }),
    }
    let isAnswered = false
    const answer = (acknowledged: boolean) => {
      if (isAnswered) return
      isAnswered = true
      told(acknowledged)
    }
    // A sender waits this long, and takes silence for a no.
    scheduler.at(scheduler.nowMs() + 10 * SECOND, () => answer(false))
    receive(context, account, { headers, body: letter.body }).then(
      ({ outcome, ...rest }) => {
        if (!process.alive) return
        if (outcome !== 'refused' && !isKept(objects, letter))
          seen.push(`P3: the callback about ${letter.generation.id} was acknowledged before it was durable`)
        if (outcome !== 'refused' && letter.forged) seen.push('P4: a forged callback was taken')
        answer(outcome !== 'refused')
        if ('reportId' in rest && rest.reportId !== undefined)
          moveOn(context, account, rest.reportId).catch(() => {})
      },
      () => answer(false),
    )
  }

  /** Whatever a person or a timer may begin; it fails as it fails. */
  function begin(deed: Deed, place: number): void {
    const { context, account } = at(place)
    const doing = thread.run({}, () => deeds[deed](context, account))
    doing.catch(error => {
      if (error instanceof TypeError || error instanceof RangeError) seen.push(`fault: ${error.stack}`)
    })
  }

  /** The questions of people: few, so that they meet. */
  function someRequest(now: Date): ReportRequest {
    const start = addDays(dayOf(now), -chance.whole(3, 5))
    const wallets = chance.happens(0.85) ? 'all' : chance.pick(['spot', 'funding'] as const)
    return { range: { start, end: addDays(start, chance.pick([1, 1, 2])) }, wallets }
  }

  const deeds: Record<Deed, (context: Context, account: PlannedAccount) => Promise<unknown>> = {
    sweep: (context, account) => sweep(context, [account]),
    schedule: askDue,
    async plan(context, account) {
      const plan = await makePlan(context, account, { from: planning.earliestDay })
      return applyPlan(context, account, plan)
    },
    command: (context, account) =>
      submit(context, account, { request: question, reason: 'command', again: false }),
    again: (context, account) =>
      submit(context, account, { request: question, reason: 'again', again: true }),
    async settle(context, account) {
      const month = monthOf(context.clock.now())
      const slot = (await context.ledger.month(REF, month)).find(one => isUnsettled(one))
      if (slot === undefined || !isLongAgo(slot)) return
      const made = madeFor(provider.books, slot.claim.request)
      if (made.length > 1) return
      await settle(context, account, {
        month,
        slot: slot.number,
        reportId: made[0]?.id,
        by: 'anna',
        why: 'seen',
      })
    },
    async import(context, account) {
      const now = scheduler.nowMs()
      const one = provider.books.find(
        ({ fate, readyAtMs, by }) => fate === 'ready' && by !== 'stranger' && readyAtMs < now,
      )
      if (one === undefined) return
      const bytes = Buffer.from(one.file)
      const file = {
        name: 'by-hand.csv',
        size: bytes.length,
        async *read({ start = 0, end }: { start?: number; end?: number } = {}) {
          yield bytes.subarray(start, end)
        },
      }
      const isKnown = (await context.reports.parts(REF, one.id)).size > 0
      const input = { file, generatedAt: undefined, by: 'anna' }
      await importFile(
        context,
        account,
        isKnown && chance.happens(0.7)
          ? { ...input, reportId: one.id, request: undefined }
          : { ...input, reportId: undefined, request: one.request },
      )
    },
  }
  let question = someRequest(new Date(startMs))

  /** What is done at about the same moment, often by several. */
  function burst(): void {
    const now = new Date(scheduler.nowMs())
    if (chance.happens(0.5)) question = someRequest(now)
    const first = chance.pick<Deed>(['schedule', 'plan', 'plan', 'command', 'command'])
    const count = chance.whole(1, 3)
    for (let index = 0; index < count; index++) {
      const deed = chance.happens(0.6) ? first : chance.pick<Deed>(['schedule', 'plan', 'command', 'sweep'])
      scheduler.at(scheduler.nowMs() + chance.whole(0, 30), () => begin(deed, index))
    }
    for (const afterMs of [3 * MINUTE, 20 * MINUTE, 3 * HOUR, 20 * HOUR])
      if (chance.happens(0.5)) later(afterMs, 'sweep')
    if (chance.happens(0.2)) later(chance.pick([10 * MINUTE, 5 * HOUR]), 'again')
    if (chance.happens(0.15)) later(chance.pick([HOUR, DAY]), 'settle')
    if (chance.happens(0.06)) later(DAY, 'import')
    if (chance.happens(0.06))
      scheduler.at(scheduler.nowMs() + 90 * MINUTE, () =>
        provider.makeUnasked(someRequest(new Date(scheduler.nowMs())), chance.pick(['portal', 'stranger'])),
      )
  }

  function later(afterMs: number, deed: Deed): void {
    const most = chance.pick([1, 1, 2])
    const atMs = scheduler.nowMs() + Math.round(afterMs * (0.5 + chance.fraction()))
    for (let place = 0; place < most; place++)
      scheduler.at(atMs + chance.whole(0, 20), () => begin(deed, place))
  }

  const isLongAgo = ({ claim }: Slot) => scheduler.nowMs() - new Date(claim.claimedAt).getTime() > 10 * MINUTE

  /** Whatever the provider can deliver has been delivered, and whatever can be finished is. */
  async function quietTime(): Promise<string[]> {
    isCalm = true
    scheduler.calm()
    provider.calm()
    for (const pause of [HOUR, 61 * MINUTE, 3 * DAY, 61 * MINUTE, DAY, 61 * MINUTE]) {
      scheduler.at(scheduler.nowMs() + pause, () => begin('sweep', 0))
      await scheduler.run()
    }
    const before = facts(objects)
    const { context, account } = at(0)
    const ids = await throughTime(scheduler, async () => {
      await sweep(context, [account], { everything: true })
      return (await Array.fromAsync(context.reports.list(REF))).map(({ reportId }) => reportId)
    })
    const moved = (ids ?? []).filter(id => {
      const { accepted, archive, ended, filePrefix } = reportKeys(REF, id)
      // An import that died is completed by whoever imports the file again.
      const isHalfBrought = [...before.keys()].some(key => key.startsWith(filePrefix)) && !before.has(archive)
      if (isHalfBrought || (id.startsWith('import-') && !before.has(archive))) return false
      // Of several slots that fitted a report which has ended, a person may have settled all but one since.
      return before.has(accepted) || !before.has(ended)
    })
    for (const id of moved) await throughTime(scheduler, () => advance(context, account, id))
    return [...facts(objects)].filter(([key, etag]) => before.get(key) !== etag).map(([key]) => key)
  }

  try {
    let atMs = startMs
    for (let count = chance.whole(2, 4); count > 0; count--) {
      scheduler.at(atMs, burst)
      const isTurn = chance.happens(0.25)
      atMs += isTurn
        ? untilTurn(atMs) + chance.whole(-80, 20) * SECOND
        : chance.whole(5 * MINUTE, chance.pick([2, 6, 20]) * DAY)
    }
    await scheduler.run()
    const writtenAgain = await quietTime()
    const store = memoryStore(objects)
    return {
      seed,
      objects,
      context: { ...at(0).context, store, ledger: quotaLedger(store), reports: reportLog(store) },
      account: at(0).account,
      provider,
      crashes: scheduler.crashes(),
      seen,
      writtenAgain,
      calls,
      trace: digestOf(trace, objects, provider),
    }
  } finally {
    forgetWorkFiles()
  }
}

type Deed = 'sweep' | 'schedule' | 'plan' | 'command' | 'again' | 'settle' | 'import'

function untilTurn(atMs: number): number {
  const at = new Date(atMs)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) - atMs
}

/** Runs one thing to its end; `undefined` when it fails. */
async function throughTime<T>(scheduler: Scheduler, work: () => Promise<T>): Promise<T | undefined> {
  let result: T | undefined
  work().then(
    value => {
      result = value
    },
    () => {},
  )
  await scheduler.run()
  return result
}

/** What must not change any more, by key. Advice may. */
function facts({ byKey }: MemoryObjects): Map<string, string> {
  return new Map([...byKey].filter(([key]) => !key.startsWith('work/')).map(([key, { etag }]) => [key, etag]))
}

function isKept({ byKey }: MemoryObjects, { generation, bodySha256 }: Letter): boolean {
  for (const [key, { bytes }] of byKey) {
    const isPlace = key.endsWith(`/${generation.id}/callback.json`) || key.startsWith('callbacks/')
    if (isPlace && Buffer.from(bytes).includes(bodySha256)) return true
  }
  return false
}

function digestOf(trace: Hash, { byKey }: MemoryObjects, { asked, books, troubles }: ProviderModel): string {
  for (const [key, { etag, bytes }] of byKey) trace.update(`${key} ${etag} `).update(bytes)
  trace.update(JSON.stringify([asked, books, [...troubles]]))
  return trace.digest('hex')
}

interface Hands {
  readonly chance: Chance
  readonly scheduler: Scheduler
  readonly objects: MemoryObjects
  readonly seen: string[]
  /** The number of a request. */
  readonly count: () => number
  readonly isCalm: () => boolean
  readonly trace: (line: string) => void
}

/** The bucket as a process has it: every request takes its time, and some fail before or after they took effect. */
function restlessStore(
  process: Process,
  { chance, scheduler, objects, seen, count, isCalm, trace }: Hands,
): ObjectStore {
  const store = memoryStore(objects)
  const unavailable = () => new DaybookError('store-unavailable', 'The store did not answer.')

  function request<T>(what: string, effect: () => Promise<T>, body?: Body, mayCrash = true): Promise<T> {
    const number = count()
    trace(`${process.name} ${number} ${what}`)
    const lose = () => {
      if (body !== undefined && 'destroy' in body) (body as { destroy(): void }).destroy()
    }
    const fails = isCalm() ? 1 : chance.fraction()
    if (!process.alive) return new Promise(() => lose())
    const happen = async () => {
      if (fails < 0.002) {
        lose()
        trace(`${number} is lost`)
        throw unavailable()
      }
      const answer = await effect()
      trace(`${number} ${inWords(answer)}`)
      if (fails < 0.004) throw unavailable()
      return answer
    }
    return scheduler.call(process, happen, { mayCrash, lose })
  }

  return {
    address: 'simulation',
    get: key => request(`get ${key}`, () => store.get(key)),
    head: key => request(`head ${key}`, () => store.head(key)),
    create: (key, body) => {
      const doing = thread.getStore()
      if (doing !== undefined && parseSlotKey(key)?.outcome === false) doing.slotKey = key
      return request(`create ${key}`, () => store.create(key, body), body)
    },
    replace: (key, body, etag) =>
      request(
        `replace ${key}`,
        async () => {
          const before = objects.byKey.get(key)?.bytes
          const answer = await store.replace(key, body, etag)
          if (answer.outcome === 'replaced' && !mayChange(key, before)) seen.push(`P5: ${key} was replaced`)
          return answer
        },
        body,
      ),
    async *list(prefix) {
      yield* await request(`list ${prefix}`, () => Array.fromAsync(store.list(prefix)))
    },
    async *read(key, range) {
      // A day that stands is read beside a file that is open; nobody dies there, so that it is closed.
      yield* await request(
        `read ${key} ${range?.start}-${range?.end}`,
        () => Array.fromAsync(store.read(key, range)),
        undefined,
        !key.startsWith('activity/'),
      )
    },
  }
}

/** Facts are created once; an answer that was lost is the only one that may be learnt later. */
function mayChange(key: string, before: Uint8Array | undefined): boolean {
  if (key.startsWith('activity/') || key.startsWith('work/')) return true
  return (
    key.endsWith('.outcome.json') &&
    before !== undefined &&
    JSON.parse(Buffer.from(before).toString()).outcome === 'unknown'
  )
}

/** What a request of the store came to, as far as it tells one run from another. */
function inWords(answer: unknown): string {
  if (answer instanceof Uint8Array) return `${answer.length}`
  if (Array.isArray(answer)) return answer.map(inWords).join()
  const { outcome, etag } = (answer ?? {}) as { outcome?: string; etag?: string }
  return `${outcome} ${etag}`
}
