/** Answers about balances as they are archived. */
import { createHash } from 'node:crypto'
import type { BalanceAnswerRecord } from '../domain/balance.ts'

export interface RawBalanceAnswer {
  readonly operation: string
  readonly question: Readonly<Record<string, string>>
  readonly settings?: Readonly<Record<string, string>>
  readonly assumptions: readonly string[]
  readonly sentAt: Date
  readonly answeredAt: Date
  readonly body: Uint8Array
  readonly signature?: { readonly value: string; readonly publicKey: string }
}

/** The record of an answer, with the digest of its bytes. */
export function balanceAnswer(raw: RawBalanceAnswer): BalanceAnswerRecord {
  return {
    operation: raw.operation,
    question: raw.question,
    settings: raw.settings ?? {},
    assumptions: [...raw.assumptions],
    sentAt: raw.sentAt.toISOString(),
    answeredAt: raw.answeredAt.toISOString(),
    bodyBase64: Buffer.from(raw.body).toString('base64'),
    bodySha256: createHash('sha256').update(raw.body).digest('hex'),
    signature: raw.signature ?? null,
  }
}

/** The text that an archived answer holds. */
export function textOfAnswer({ bodyBase64 }: BalanceAnswerRecord): string {
  return Buffer.from(bodyBase64, 'base64').toString('utf8')
}
