/**
 * What a provider can do, ability by ability. A stage asks for the one it needs; a provider offers those
 * it has.
 */
import type { ActivityRow } from '../domain/activity.ts'
import type { Balance, BalanceAnswerRecord, BalanceBasis } from '../domain/balance.ts'
import type { Day, DayRange } from '../domain/calendar.ts'
import type { Contract, DebitApplication, DebitNotice } from '../domain/debit.ts'
import type { BalanceProof } from '../domain/reconciliation.ts'
import type { CallbackRecord, ReportRequest } from '../domain/report.ts'

export interface Provider {
  /** The name in keys and commands, such as `binance-pay`. */
  readonly name: string
  readonly reports?: Reports
  readonly callbacks?: Callbacks
  readonly balances?: Balances
  readonly activity?: Activity
  readonly debits?: Debits
}

/** What a harmless call tells about the connection to a provider. */
export interface ProbeAnswer {
  /** The serials of the keys that sign callbacks. */
  readonly serials: readonly string[]
  /** How far the provider's clock is ahead of ours, in milliseconds, to about a second. */
  readonly aheadMs: number | undefined
  /** How far the clocks may differ before the provider refuses; one second when absent. */
  readonly clockWindowMs?: number
}

/** Reports that are asked for and made later. */
export interface Reports {
  /** The ranges that can be asked for; absent where it is not known, and then nothing can be planned. */
  readonly window?: RequestWindow
  /**
   * Why `request` cannot be asked for now, as a sentence; `undefined` when it can. Throws `config-invalid`
   * when nothing could be signed, so that this is known before anything is claimed.
   */
  refusal(request: ReportRequest, now: Date): string | undefined
  /** Asks for a report, exactly once: an ambiguous answer is never followed by a second try. */
  submit(request: ReportRequest): Promise<SubmitAnswer>
  /** Asks what became of a report; costs no quota. */
  query(reportId: string): Promise<ReportStatus>
  /** When the report was created, as far as its id tells. */
  createdAt(reportId: string): Date | undefined
}

/** Which ranges of days a provider takes. */
export interface RequestWindow {
  /** The most days of one report. */
  readonly maxDays: number
  /** The newest day that can be asked for lies this many days before today (UTC). */
  readonly newestBeforeTodayDays: number
}

export type SubmitAnswer =
  | { outcome: 'accepted'; reportId: string; answer: string }
  /** It is certain that no report was made. */
  | { outcome: 'rejected'; code: string; says: string }
  /** A report may have been made. */
  | { outcome: 'unknown'; says: string }

/** `answer`: what the provider said, as text, to be kept where it ends a report; never with a link in it. */
export type ReportStatus =
  | { status: 'processing'; answer?: string }
  | { status: 'ready'; link: string }
  | { status: 'failed'; answer?: string }
  | { status: 'expired'; answer?: string }
  /** The provider does not know the id. */
  | { status: 'absent'; answer?: string }

/** Signed messages to the merchant URL. */
export interface Callbacks {
  /**
   * Verifies the bytes as they came, before anything parses them. Throws `provider-unreachable` when the
   * key cannot be fetched, so that the sender tries again.
   */
  verify(message: CallbackMessage): Promise<CallbackVerdict>
  /** Reads a verified body; never fails, because an unknown shape is kept and acknowledged too. */
  read(body: Uint8Array): CallbackContent
  /** What a kept callback was verified with; `undefined` when the record does not hold it all. */
  proof?(record: CallbackRecord): CallbackProof | undefined
  /** The answers the provider expects. They tell a stranger nothing. */
  readonly replies: { readonly accepted: CallbackReply; readonly refused: CallbackReply }
}

/** Everything that verifying a callback again takes, but for the key. */
export interface CallbackProof {
  /** The bytes that were signed. */
  readonly signed: Uint8Array
  /** RSASSA-PKCS1-v1_5 with SHA-256. */
  readonly signature: Uint8Array
  /** The serial that the key is kept under. */
  readonly keySerial: string
}

export interface CallbackMessage {
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Uint8Array
}

export type CallbackVerdict =
  | {
      verdict: 'verified'
      keySerial: string
      signedAt: Date
      /** Signed recently enough to trust the link in it. */
      fresh: boolean
      /** The headers that the signature covers or that name the key. */
      headers: Record<string, string>
    }
  | { verdict: 'refused'; reason: RefusalReason }

export type RefusalReason = 'header-missing' | 'header-malformed' | 'key-unknown' | 'signature-wrong'

export type CallbackContent =
  /** A report is ready. `link` is absent when the message does not carry a usable one. */
  | { kind: 'report'; reportId: string; link?: string; linkExpiresAt?: Date }
  /** Anything else; `type` and `id` name it in the store. */
  | { kind: 'other'; type: string; id: string }

export interface CallbackReply {
  readonly status: number
  readonly body: string
}

/** What an account holds, or held as a day closed. */
export interface Balances {
  readonly basis: BalanceBasis
  /** The days that can be asked for now; absent where only the present can be. */
  days?(now: Date): DayRange
  /**
   * Asks everything that makes one snapshot, of `day` where days can be asked for. Answers what came, byte
   * for byte and verified where the provider signs; throws when any part of it cannot be had.
   */
  ask(day?: Day): Promise<BalanceAnswerRecord[]>
  /** Reads an answer of `ask`, also years later: it rests on nothing but the record. Throws `provider-protocol`. */
  read(answer: BalanceAnswerRecord): Balance[]
  /** How movements prove what is held at instants; absent where they cannot. */
  readonly proof?: BalanceProof
}

/** Movements that can be asked for directly, without a report. */
export interface Activity {
  /** The assets that the account is known to have. */
  assets(): Promise<string[]>
  /** Every movement of an asset from `from` up to, not including, `to`, both in the past. */
  movements(asset: string, from: Date, to: Date): Promise<Movements>
}

export interface Movements {
  readonly rows: readonly ActivityRow[]
  /** The pages as they came, in order. */
  readonly pages: readonly Uint8Array[]
  readonly assumptions: readonly string[]
}

/** Debits that a contract with a user allows. */
export interface Debits {
  /** The contract of that id; `undefined` when the provider knows none. */
  contract(contractId: string): Promise<Contract | undefined>
  /** Announces a debit. The same `requestId` has the same effect once, however often it is sent. */
  notify(notice: DebitNotice): Promise<NotifyAnswer>
  /** Debits: moves money. Refused with `usage-invalid` unless `movesMoney` says that this is meant. */
  apply(application: DebitApplication, consent: { readonly movesMoney: boolean }): Promise<ApplyAnswer>
}

export type NotifyAnswer =
  | { outcome: 'notified'; orderId: string; requestId: string; at: Date; answer: string }
  | { outcome: 'rejected'; code: string; says: string; answer: string }
  /** It may have been announced; asking again with the same id is safe. */
  | { outcome: 'unknown'; says: string; answer: string }

export type ApplyAnswer =
  | { outcome: 'applied'; orderId: string; requestId: string; status: string; answer: string }
  | { outcome: 'rejected'; code: string; says: string; answer: string }
  | { outcome: 'unknown'; says: string; answer: string }
