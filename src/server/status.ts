/** The HTTP status of every fault: what may succeed later asks the sender to come back. */
import type { FaultCode } from '../domain/errors.ts'

export const STATUS = {
  'config-invalid': 500,
  'usage-invalid': 400,
  'not-found': 404,
  'key-refused': 400,
  'record-invalid': 500,
  'store-unavailable': 503,
  'store-refused': 500,
  'provider-unreachable': 503,
  'provider-refused': 502,
  'provider-protocol': 502,
  'download-failed': 502,
  'download-refused': 502,
  'file-unreadable': 500,
  'file-damaged': 500,
  'count-mismatch': 500,
} as const satisfies Record<FaultCode, number>
