/**
 * What a provider can do, ability by ability. A stage asks for the one it needs; a provider offers those
 * it has.
 */
import type { ReportRequest } from '../domain/report.ts'

export interface Provider {
  /** The name in keys and commands, such as `binance-pay`. */
  readonly name: string
  readonly reports?: Reports
  readonly callbacks?: Callbacks
}

/** What a harmless call tells about the connection to a provider. */
export interface ProbeAnswer {
  /** The serials of the keys that sign callbacks. */
  readonly serials: readonly string[]
  /** How far the provider's clock is ahead of ours, in milliseconds, to about a second. */
  readonly aheadMs: number | undefined
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
  /** The answers the provider expects. They tell a stranger nothing. */
  readonly replies: { readonly accepted: CallbackReply; readonly refused: CallbackReply }
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
