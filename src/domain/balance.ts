/**
 * Balances under common names: what a provider said an account held, when it was asked, and what reading
 * its answer rested on. A figure a provider does not give is `null`, never zero.
 */
import { z } from 'zod'
import type { Amount } from './amount.ts'
import { type Day, isDay } from './calendar.ts'

/** `instant`: what was held as the question was answered; `day-end`: what was held as a day closed. */
export const BALANCE_BASES = ['instant', 'day-end'] as const
export type BalanceBasis = (typeof BALANCE_BASES)[number]

/** What an asset's balance can be told as. Amounts are scaled by 10^18. */
export interface BalanceFigures {
  readonly available: Amount | null
  /** Frozen, on hold or in transit: part of the total, not to be used now. */
  readonly onHold: Amount | null
  /** A part of what is available. */
  readonly withdrawable: Amount | null
  readonly deposit: Amount | null
  readonly total: Amount | null
  readonly opening: Amount | null
  /** What came in during the day; never negative by the providers' words. */
  readonly inflow: Amount | null
  readonly outflow: Amount | null
  readonly closing: Amount | null
}

export const NO_FIGURES: BalanceFigures = {
  available: null,
  onHold: null,
  withdrawable: null,
  deposit: null,
  total: null,
  opening: null,
  inflow: null,
  outflow: null,
  closing: null,
}

/** One asset in one wallet or funds account, as one answer tells it. */
export interface Balance extends BalanceFigures {
  /** `Spot`, `Funding`; `null` where the provider has no wallets. */
  readonly wallet: string | null
  readonly fundsAccount: string | null
  readonly asset: string
  readonly basis: BalanceBasis
  /** The provider's own time of the figures in microseconds since 1970; `null` where it gives none. */
  readonly asOfMicros: bigint | null
  /** The accounting day and its zone, such as `UTC` or `UTC+08:00`; only of a day-end balance. */
  readonly day: Day | null
  readonly zone: string | null
  /** The provider's conversions into other currencies, as a JSON object: information, never reconciled. */
  readonly valuations: string | null
  readonly status: string | null
  /** Fields nobody asked for, as a JSON object. */
  readonly extra: string | null
}

/** A balance with its evidence: a row of the `balances` table. */
export interface BalanceRow extends Balance {
  /** Which of the provider's operations told it. */
  readonly operation: string
  /** The window in which it was true: from the sending of the request to the last byte of the answer. */
  readonly sentMicros: bigint
  readonly answeredMicros: bigint
  /** SHA-256 of the raw answer, which is archived. */
  readonly rawSha256: string
  /** What is assumed where the provider's documentation is silent, as a JSON list of texts. */
  readonly assumptions: string
}

export interface BalanceColumn {
  readonly name: string
  readonly type: 'string' | 'timestamp' | 'amount'
  readonly nullable: boolean
  readonly of: (row: BalanceRow) => string | bigint | null
}

/** The columns of the `balances` table, in order. Columns are only ever added, and then nullable. */
export const BALANCE_COLUMNS: readonly BalanceColumn[] = [
  { name: 'wallet', type: 'string', nullable: true, of: row => row.wallet },
  { name: 'funds_account', type: 'string', nullable: true, of: row => row.fundsAccount },
  { name: 'asset', type: 'string', nullable: false, of: row => row.asset },
  { name: 'basis', type: 'string', nullable: false, of: row => row.basis },
  { name: 'as_of', type: 'timestamp', nullable: true, of: row => row.asOfMicros },
  { name: 'day', type: 'string', nullable: true, of: row => row.day },
  { name: 'zone', type: 'string', nullable: true, of: row => row.zone },
  { name: 'available', type: 'amount', nullable: true, of: row => row.available },
  { name: 'on_hold', type: 'amount', nullable: true, of: row => row.onHold },
  { name: 'withdrawable', type: 'amount', nullable: true, of: row => row.withdrawable },
  { name: 'deposit', type: 'amount', nullable: true, of: row => row.deposit },
  { name: 'total', type: 'amount', nullable: true, of: row => row.total },
  { name: 'opening', type: 'amount', nullable: true, of: row => row.opening },
  { name: 'inflow', type: 'amount', nullable: true, of: row => row.inflow },
  { name: 'outflow', type: 'amount', nullable: true, of: row => row.outflow },
  { name: 'closing', type: 'amount', nullable: true, of: row => row.closing },
  { name: 'valuations', type: 'string', nullable: true, of: row => row.valuations },
  { name: 'status', type: 'string', nullable: true, of: row => row.status },
  { name: 'extra', type: 'string', nullable: true, of: row => row.extra },
  { name: 'operation', type: 'string', nullable: false, of: row => row.operation },
  { name: 'sent_at', type: 'timestamp', nullable: false, of: row => row.sentMicros },
  { name: 'answered_at', type: 'timestamp', nullable: false, of: row => row.answeredMicros },
  { name: 'raw_sha256', type: 'string', nullable: false, of: row => row.rawSha256 },
  { name: 'assumptions', type: 'string', nullable: false, of: row => row.assumptions },
]

/** The version of the columns; a new major version is a new table prefix. */
export const BALANCE_SCHEMA_VERSION = '1'

const day = z.string().refine(isDay, 'expected a day, YYYY-MM-DD')
const instant = z.iso.datetime()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')

/** One answer of a provider as it came, with all that reading it once more needs. */
export const balanceAnswerRecord = z.object({
  operation: z.string(),
  /** What was asked: wallet, currency, day, zone, … */
  question: z.record(z.string(), z.string()),
  /** The settings that the reading rests on, such as the unit of amounts. */
  settings: z.record(z.string(), z.string()),
  assumptions: z.array(z.string()),
  sentAt: instant,
  answeredAt: instant,
  bodyBase64: z.base64(),
  bodySha256: sha256,
  /** The signature that was verified over the bytes, and the key that verified it. */
  signature: z.object({ value: z.string(), publicKey: z.string() }).nullable(),
})
export type BalanceAnswerRecord = z.infer<typeof balanceAnswerRecord>

/** `snapshots/…/<instant>.json`: the answers of one snapshot. The table's file follows from it alone. */
export const snapshotRecord = z.object({
  takenAt: instant,
  /** The day it is filed under: the accounting day, else the UTC day of the asking. */
  day,
  basis: z.enum(BALANCE_BASES),
  by: z.string(),
  reason: z.string(),
  answers: z.array(balanceAnswerRecord).min(1),
})
export type SnapshotRecord = z.infer<typeof snapshotRecord>

/** An instant as a key's segment: `20261015T120000.123Z`. */
export function instantName(at: Date): string {
  return at.toISOString().replace(/[-:]/g, '')
}
