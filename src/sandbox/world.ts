/** What every part of the sandbox may touch. */
import type { Day } from '../domain/calendar.ts'
import type { Clock, Random } from '../host.ts'
import type { Books, StoredReport } from './books.ts'
import type { DebitBook } from './debit-book.ts'
import { fileName, type ReportContent } from './file-container.ts'
import type { Knobs } from './knobs.ts'
import { writeLinkToken } from './links.ts'
import type { Merchant } from './request-checks.ts'
import type { KeyRing, SigningKey } from './signing-keys.ts'
import type { WalletBooks } from './wallet-books.ts'

/** The knobs that name a fault of an endpoint. */
export type FaultKnob =
  | 'submitFault'
  | 'queryFault'
  | 'certificatesFault'
  | 'balanceHttpFault'
  | 'debitFault'
  | 'payermaxFault'
  | 'onerwayFault'

export interface World {
  readonly merchants: readonly Merchant[]
  readonly seed: string
  readonly books: Books
  readonly keys: KeyRing
  readonly linkSecret: string
  /** The day before which nothing has happened in any account: balances are counted from there. */
  readonly openedOn: Day
  /** What the wallets hold, counted from the rows that reports tell. */
  readonly wallets: WalletBooks
  /** Notices and debits, forgotten when it ends. */
  readonly debits: DebitBook
  /** PayerMax's key, made when it is first needed. */
  payermaxKey(): Promise<SigningKey>
  /** Counts up from 1, by name, since the knobs were last set. */
  countOf(name: string): number
  readonly clock: Clock
  readonly random: Random
  log(event: string, fields: Readonly<Record<string, unknown>>): void
  knobs(): Knobs
  setKnobs(changed: Partial<Knobs>): void
  /** Where the sandbox listens, without a slash at the end. */
  origin(): string
  mintId(instantMs: number): string
  /** Whether this call still meets the fault that its endpoint's knob names. */
  meetsFault(fault: FaultKnob, knobs: Knobs): boolean
  /** Remembers a nonce; whether it is a new one. */
  useNonce(merchant: string, nonce: string): boolean
  /** Aborts when the sandbox stops. */
  readonly stopping: AbortSignal
  /** Keeps a task that nobody waits for until the sandbox stops. */
  background(task: Promise<unknown>): void
}

/** Now by the host's clock: the one that decides when something is due. */
export function hostNowMs(world: World): number {
  return world.clock.now().getTime()
}

/** Now as the sandbox shows it to others. */
export function shownNowMs(world: World, knobs: Knobs): number {
  return hostNowMs(world) + knobs.clockSkewMs
}

/** The knobs for what happens to a report now: the sandbox's, under those its own submit brought. */
export function knobsFor(world: World, report: StoredReport): Knobs {
  return { ...world.knobs(), ...report.overrides }
}

/** What a report's file is made of. */
export function contentOf(world: World, report: StoredReport): ReportContent {
  const { reportId, merchant, walletType, startDate, endDate, knobs } = report
  const madeAtMs = report.readyAtMs + report.skewMs
  return { reportId, merchant, seed: world.seed, walletType, startDate, endDate, madeAtMs, knobs }
}

/** A download link that works until `expiresAtMs` by the host's clock. */
export function linkTo(world: World, report: StoredReport, expiresAtMs: number): string {
  const token = writeLinkToken(world.linkSecret, { reportId: report.reportId, expiresAtMs })
  const name = encodeURIComponent(fileName(contentOf(world, report)))
  return `${knobsFor(world, report).linkBase || world.origin()}/files/${token}/${name}`
}

/** Waits; rejects when the sandbox stops. */
export async function pause(world: World, ms: number): Promise<void> {
  if (ms > 0) await world.clock.sleep(ms, world.stopping)
}
