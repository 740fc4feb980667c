/** The two ways a whole file fails. `reason` is a stable code, `message` a full sentence. */
import { DaybookError, type FaultDetails } from '../domain/errors.ts'

/** A file that is not a statement we can read. The archive keeps its bytes, so it can be parsed later. */
export function unreadable(reason: string, message: string, details: FaultDetails = {}): DaybookError {
  return new DaybookError('file-unreadable', message, { details: { reason, ...details } })
}

/** A file that was a statement once: cut off, or with bytes changed. */
export function damaged(
  reason: string,
  message: string,
  details: FaultDetails = {},
  cause?: unknown,
): DaybookError {
  return new DaybookError('file-damaged', message, { details: { reason, ...details }, cause })
}
