/** What a person or a program hears of an error, the same from pages and API. */
import { statusOf } from '../../callback-answer.ts'
import { type FaultCode, findFault } from '../../domain/errors.ts'

export interface FaultAnswer {
  readonly status: number
  readonly says: string
  /** `undefined` for what is no fault of the table. */
  readonly code: FaultCode | undefined
  /** After how many seconds it is worth trying again; `undefined` where it is not. */
  readonly retryAfterSeconds: number | undefined
}

/** A person looks again sooner than a provider that sends a callback. */
const RETRY_SECONDS = 5

export function faultAnswer(error: unknown): FaultAnswer {
  const fault = findFault(error)
  if (fault !== undefined) {
    const { status, retryAfterSeconds } = statusOf(fault)
    const isLater = retryAfterSeconds !== undefined
    return {
      status,
      says: fault.message,
      code: fault.code,
      retryAfterSeconds: isLater ? RETRY_SECONDS : undefined,
    }
  }
  const status = error instanceof URIError ? 400 : statusOfBody(error)
  const says =
    status < 500 ? 'The request cannot be read.' : 'This should not have happened; the log says more.'
  return { status, says, code: undefined, retryAfterSeconds: undefined }
}

/** What body parsers say of a body that they refuse; everything else is our failure. */
function statusOfBody(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
