/**
 * A provider with books of its own: what it made, for whom, when it is ready, which links it gave. It is slow,
 * fails, loses answers and callbacks, repeats them, and knows nothing of what is in the bucket.
 */
import { createHash } from 'node:crypto'
import { addDays, dayOf, daysOf, monthOf, startOfDay } from '../../src/domain/calendar.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import { type ReportRequest, sameRequest } from '../../src/domain/report.ts'
import { createdAt } from '../../src/providers/binance-pay/id.ts'
import type { Download } from '../../src/providers/download.ts'
import type {
  CallbackContent,
  CallbackMessage,
  CallbackVerdict,
  Provider,
  ReportStatus,
  SubmitAnswer,
} from '../../src/providers/provider.ts'
import type { Chance } from './chance.ts'
import type { Process, Scheduler } from './scheduler.ts'
import { thread } from './thread.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A page of the books. */
export interface Generation {
  readonly id: string
  readonly request: ReportRequest
  readonly madeAtMs: number
  /** `api`: somebody signed with our key asked; `portal`: a person clicked; `stranger`: another merchant's. */
  readonly by: 'api' | 'portal' | 'stranger'
  readonly fate: 'ready' | 'failed' | 'stuck'
  readonly readyAtMs: number
  readonly file: string
  /** Whether a query gives a new link for one that ran out. */
  readonly renews: boolean
  readonly linkLifeMs: number
  /** Until then a query does not know it. */
  readonly knownAtMs: number
  /** The first query that gave a link. */
  firstLinkMs?: number
}

interface Link {
  readonly generation: Generation
  readonly servedFromMs: number
  readonly endsAtMs: number
  readonly page: boolean
}

/** A message on its way to the merchant URL. */
export interface Letter {
  readonly generation: Generation
  readonly body: Uint8Array
  readonly bodySha256: string
  readonly key: string
  readonly forged: boolean
  signedAtMs: number
}

/** A request that somebody sent off, whatever became of it. */
export interface Asked {
  readonly slotKey: string | undefined
  readonly request: ReportRequest
  /** By the clock of whoever asked, which the provider does not know. */
  readonly atMs: number
}

export interface ProviderModel {
  readonly asked: readonly Asked[]
  readonly books: readonly Generation[]
  /** Callbacks that were answered with success, and when. */
  readonly acknowledged: readonly { readonly letter: Letter; readonly atMs: number }[]
  /** How often each kind of trouble came to pass. */
  readonly troubles: Map<string, number>
  /** The provider as a process sees it. */
  abilitiesFor(process: Process): Provider
  downloaderFor(process: Process): (link: string) => Promise<Download>
  /** A report that nobody asked for by the API. */
  makeUnasked(request: ReportRequest, by: 'portal' | 'stranger'): void
  calm(): void
}

export interface ProviderOptions {
  readonly chance: Chance
  readonly scheduler: Scheduler
  /** Reports a month, counted by its own clock. */
  readonly limit: number
  readonly maxDays: number
  /** Sends a letter; the answer is whether the merchant acknowledged it. */
  readonly deliver: (letter: Letter, told: (acknowledged: boolean) => void) => void
}

/** A host that is not among those that are allowed. */
export const ODD_HOST = 'odd.example.org'

const HEADER = 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n'

export function providerModel({
  chance,
  scheduler,
  limit,
  maxDays,
  deliver,
}: ProviderOptions): ProviderModel {
  const books: Generation[] = []
  const asked: Asked[] = []
  const links = new Map<string, Link>()
  const acknowledged: { letter: Letter; atMs: number }[] = []
  const troubles = new Map<string, number>()
  const salt = chance.whole(0, 1_000_000)
  let isCalm = false
  let key = 1

  function trouble(kind: string, probability: number): boolean {
    if (isCalm || !chance.happens(probability)) return false
    count(kind)
    return true
  }

  function count(kind: string): void {
    troubles.set(kind, (troubles.get(kind) ?? 0) + 1)
  }

  const now = () => scheduler.nowMs()

  /** A day's rows are corrected now and then, as long as it is young; each row says which version it is of. */
  function rowsOf(day: string, madeAtMs: number): string {
    const dice = createHash('sha256').update(`${salt} ${day}`).digest()
    const everyMs = (2 + (dice[0]! % 60)) * HOUR
    const age = madeAtMs - startOfDay(day).getTime() - 3 * DAY
    const version = 1 + Math.min(8, Math.max(0, Math.floor(age / everyMs)))
    const rows = dice[version]! % 3
    return Array.from({ length: rows }, (_, index) => {
      const time = `${day} 0${index}:00:0${version}`
      return `7,${time},${index === 0 ? 'Spot' : 'Funding'},Deposit,USDT,${version}.5,${day}v${version}r${index}of${rows}\n`
    }).join('')
  }

  function fileOf({ range, wallets }: ReportRequest, madeAtMs: number, withEnd: boolean): string {
    const days = [...daysOf(range), ...(withEnd ? [range.end] : [])]
    const rows = days.map(day => rowsOf(day, madeAtMs)).join('')
    const asked = rows
      .split('\n')
      .filter(row => wallets === 'all' || row.toLowerCase().includes(`,${wallets},`))
    return HEADER + asked.map(row => (row === '' ? '' : `${row}\n`)).join('')
  }

  function make(request: ReportRequest, by: Generation['by']): Generation {
    const madeAtMs = now()
    const seconds = BigInt(Math.floor(madeAtMs / 1000)) - 1_577_836_800n
    const low = BigInt(chance.whole(0, 255)) * 4096n + BigInt(2 * books.length + 1)
    const fate = trouble('failed', 0.06) ? 'failed' : trouble('stuck', 0.04) ? 'stuck' : 'ready'
    const slow = chance.fraction()
    const takes =
      slow < 0.12
        ? chance.whole(1, 900)
        : slow < 0.7
          ? chance.whole(SECOND, 10 * MINUTE)
          : chance.whole(MINUTE, 30 * HOUR)
    const generation: Generation = {
      id: ((seconds << 31n) | low).toString(),
      request,
      madeAtMs,
      by,
      fate,
      readyAtMs: madeAtMs + takes,
      file: fileOf(request, madeAtMs, chance.happens(0.3)),
      renews: !trouble('no new link', 0.1),
      linkLifeMs: trouble('short link', 0.3) ? chance.whole(20 * SECOND, 30 * MINUTE) : 7 * DAY,
      knownAtMs: trouble('not known yet', 0.15) ? madeAtMs + chance.whole(SECOND, 20 * MINUTE) : madeAtMs,
    }
    books.push(generation)
    if (fate === 'ready') scheduler.at(generation.readyAtMs, () => announce(generation))
    return generation
  }

  function newLink(generation: Generation, lifeMs: number): string {
    const served = trouble('404 after callback', 0.12) ? now() + chance.whole(SECOND, 10 * MINUTE) : now()
    const host = trouble('odd host', 0.03) ? ODD_HOST : 'files.example.com'
    const link = `https://${host}/${generation.id}/${links.size}`
    links.set(link, { generation, servedFromMs: served, endsAtMs: now() + lifeMs, page: chance.happens(0.5) })
    return link
  }

  /** Sends the callback until it is acknowledged, or not at all, or once more than needed. */
  function announce(generation: Generation): void {
    if (trouble('lost callback', 0.25)) return
    const late = trouble('late callback', 0.1) ? chance.whole(HOUR, 3 * DAY) : chance.whole(10, 5 * SECOND)
    scheduler.at(now() + late, () => send(generation, 1))
    if (trouble('duplicate callback', 0.15))
      scheduler.at(now() + late + chance.whole(0, 20 * MINUTE), () => send(generation, 6))
    if (trouble('forged callback', 0.05))
      scheduler.at(now() + chance.whole(0, HOUR), () => send(generation, 6, true))
  }

  function send(generation: Generation, tries: number, forged = false): void {
    if (trouble('rotated key', 0.05)) key += 1
    const link = newLink(generation, generation.linkLifeMs)
    const end = new Date(links.get(link)!.endsAtMs).toISOString()
    const body = Buffer.from(
      JSON.stringify({ reportId: generation.id, link, ...(chance.happens(0.7) && { end }) }),
    )
    const letter: Letter = {
      generation,
      body,
      bodySha256: createHash('sha256').update(body).digest('hex'),
      key: `key-${key}`,
      forged,
      signedAtMs: now() - (trouble('stale callback', 0.08) ? chance.whole(10 * MINUTE, DAY) : 0),
    }
    post(letter, tries)
  }

  function post(letter: Letter, tries: number): void {
    deliver(letter, isAcknowledged => {
      if (isAcknowledged) acknowledged.push({ letter, atMs: now() })
      else if (tries < 6 || isCalm) {
        if (letter.forged) return
        count('callback sent again')
        if (chance.happens(0.7)) letter.signedAtMs = now()
        scheduler.at(now() + chance.whole(30 * SECOND, 30 * MINUTE), () => post(letter, tries + 1))
      }
    })
  }

  const isFull = () => {
    const month = monthOf(new Date(now()))
    return (
      books.filter(({ by, madeAtMs }) => by !== 'stranger' && monthOf(new Date(madeAtMs)) === month).length >=
      limit
    )
  }

  /** What the provider decides when a request arrives, and what of its answer comes back. */
  function answerOf(request: ReportRequest): { answer?: SubmitAnswer; fault?: Error; afterMs: number } {
    if (isFull()) {
      count('provider quota used up')
      return { answer: { outcome: 'rejected', code: '400203', says: 'no more' }, afterMs: 50 }
    }
    if (trouble('refused', 0.05))
      return { answer: { outcome: 'rejected', code: '400102', says: 'wrong value' }, afterMs: 50 }
    const unknown: SubmitAnswer = { outcome: 'unknown', says: 'no answer' }
    if (trouble('time-out without effect', 0.08)) return { answer: unknown, afterMs: 10 * SECOND }
    if (trouble('time-out with late effect', 0.05)) {
      scheduler.at(now() + chance.whole(SECOND, 45 * SECOND), () => {
        if (!isFull()) make(request, 'api')
      })
      return { answer: unknown, afterMs: 10 * SECOND }
    }
    const { id } = make(request, 'api')
    if (trouble('time-out with effect', 0.12)) return { answer: unknown, afterMs: 10 * SECOND }
    if (trouble('unreadable answer', 0.03)) return { fault: new Error('unreadable'), afterMs: 50 }
    const late = trouble('slow answer', 0.1) ? chance.whole(SECOND, 9 * SECOND) : chance.whole(5, 300)
    return { answer: { outcome: 'accepted', reportId: id, answer: `Your task ID: ${id}` }, afterMs: late }
  }

  /** A request that has left arrives, whatever becomes of its sender; a sender that died hears nothing. */
  function submit(process: Process, request: ReportRequest): Promise<SubmitAnswer> {
    asked.push({ slotKey: thread.getStore()?.slotKey, request, atMs: now() + process.skewMs })
    if (trouble('not sent', 0.04))
      return scheduler.call(process, async () => ({ outcome: 'rejected', code: 'not-sent', says: 'no way' }))
    const travelMs = trouble('slow request', 0.1) ? chance.whole(SECOND, 4 * SECOND) : chance.whole(5, 300)
    return new Promise((resolve, reject) => {
      scheduler.at(now() + travelMs, () => {
        const { answer, fault, afterMs } = answerOf(request)
        scheduler.at(now() + afterMs, () => {
          scheduler
            .call(process, async () => {
              if (answer !== undefined) return answer
              throw fault
            })
            .then(resolve, reject)
        })
      })
      if (trouble('crash with a request under way', 0.02)) process.alive = false
    })
  }

  function statusOf(reportId: string): ReportStatus {
    const generation = books.find(({ id }) => id === reportId)
    if (generation === undefined || generation.by === 'stranger') return { status: 'absent', answer: 'none' }
    if (now() < generation.knownAtMs) return { status: 'absent', answer: 'not yet' }
    if (generation.fate === 'stuck' || now() < generation.readyAtMs) return { status: 'processing' }
    if (generation.fate === 'failed') return { status: 'failed', answer: 'FAILED' }
    generation.firstLinkMs ??= now()
    if (!generation.renews && now() >= generation.firstLinkMs + generation.linkLifeMs)
      return { status: 'expired', answer: 'EXPIRED' }
    return { status: 'ready', link: newLink(generation, isCalm ? DAY : generation.linkLifeMs) }
  }

  async function query(reportId: string): Promise<ReportStatus> {
    if (trouble('query fails', 0.08)) throw new DaybookError('provider-unreachable', 'No answer.')
    return statusOf(reportId)
  }

  async function open(url: string): Promise<Download> {
    const failed = (says: string, expired = false) =>
      new DaybookError('download-failed', says, { details: { expired } })
    const link = links.get(url)
    if (link === undefined) throw failed('There was never such a link.')
    if (url.includes(ODD_HOST)) {
      const details = { host: ODD_HOST, setting: 'hosts' }
      throw new DaybookError('download-refused', 'Odd host.', { details })
    }
    if (now() < link.servedFromMs) throw failed('404')
    const isOver = now() >= link.endsAtMs
    if (isOver) count('link ran out')
    if (isOver && !link.page) throw failed('403', true)
    const content = isOver ? '<Error>expired</Error>' : link.generation.file
    const breaks = trouble('download breaks', 0.08)
    return {
      host: 'files.example.com',
      name: 'report.csv',
      contentType: 'text/csv',
      discard: async () => {},
      bytes: (async function* () {
        const bytes = Buffer.from(content)
        yield bytes.subarray(0, 60)
        if (breaks) throw failed('The connection broke.')
        yield bytes.subarray(60)
      })(),
    }
  }

  return {
    asked,
    books,
    acknowledged,
    troubles,
    calm: () => {
      isCalm = true
    },
    makeUnasked(request, by) {
      count(by)
      if (by === 'stranger' || !isFull()) make(request, by)
    },
    downloaderFor: process => url => scheduler.call(process, () => open(url)),
    abilitiesFor(process) {
      const known = new Set<string>(['key-1'])

      async function verify({ headers }: CallbackMessage): Promise<CallbackVerdict> {
        const { key: serial, signed, forged } = headers as Record<string, string>
        if (serial !== undefined && !known.has(serial)) {
          if (trouble('keys cannot be fetched', 0.3))
            throw new DaybookError('provider-unreachable', 'No keys.')
          known.add(serial)
        }
        if (forged !== undefined) return { verdict: 'refused', reason: 'signature-wrong' }
        const signedAt = new Date(signed!)
        const fresh = Math.abs(now() + process.skewMs - signedAt.getTime()) <= 5 * MINUTE
        return { verdict: 'verified', keySerial: serial!, signedAt, fresh, headers: { key: serial! } }
      }

      return {
        name: 'binance-pay',
        reports: {
          window: { maxDays, newestBeforeTodayDays: 3 },
          refusal: ({ range }, at) =>
            range.end <= addDays(dayOf(at), -2) ? undefined : 'These days are too new.',
          createdAt,
          submit: request => submit(process, request),
          query: reportId => scheduler.call(process, () => query(reportId)),
        },
        callbacks: {
          verify: message => scheduler.call(process, () => verify(message)),
          read(body): CallbackContent {
            const { reportId, link, end } = JSON.parse(Buffer.from(body).toString())
            return { kind: 'report', reportId, link, ...(end && { linkExpiresAt: new Date(end) }) }
          },
          replies: { accepted: { status: 200, body: '' }, refused: { status: 401, body: '' } },
        },
      }
    },
  }
}

/** What the provider made of a question, in order. */
export function madeFor(books: readonly Generation[], request: ReportRequest): Generation[] {
  return books.filter(one => one.by === 'api' && sameRequest(one.request, request))
}
