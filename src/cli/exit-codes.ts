/** Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 refused by quota, 4 not ready, 5 discrepancy. */
import type { FaultCode } from '../domain/errors.ts'

export const EXIT = { done: 0, failed: 1, usage: 2, quota: 3, notReady: 4, discrepancy: 5 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The exit code of every fault. */
export const EXIT_OF_FAULT = {
  'config-invalid': EXIT.usage,
  'usage-invalid': EXIT.usage,
  'not-found': EXIT.failed,
  'key-refused': EXIT.usage,
  'record-invalid': EXIT.failed,
  'store-unavailable': EXIT.notReady,
  'store-refused': EXIT.failed,
  'provider-unreachable': EXIT.notReady,
  'provider-refused': EXIT.failed,
  'provider-protocol': EXIT.failed,
  'download-failed': EXIT.notReady,
  'download-refused': EXIT.failed,
  'file-unreadable': EXIT.failed,
  'file-damaged': EXIT.failed,
  'count-mismatch': EXIT.discrepancy,
} as const satisfies Record<FaultCode, ExitCode>
