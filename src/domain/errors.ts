/**
 * Every fault Daybook throws, and whether the same call may succeed later.
 * Expected outcomes are not here: a function returns those as a union.
 */
export const FAULTS = {
  'config-invalid': { retry: false },
  'usage-invalid': { retry: false },
  'not-found': { retry: false },
  'key-refused': { retry: false },
  'record-invalid': { retry: false },
  'store-unavailable': { retry: true },
  'store-refused': { retry: false },
  'provider-unreachable': { retry: true },
  'provider-refused': { retry: false },
  'provider-protocol': { retry: false },
  'download-failed': { retry: true },
  'download-refused': { retry: false },
  'file-unreadable': { retry: false },
  'file-damaged': { retry: false },
  'count-mismatch': { retry: false },
} as const satisfies Record<string, { retry: boolean }>

export type FaultCode = keyof typeof FAULTS

/** Facts about a fault that are safe to log and to show: never a secret, a body or a signed link. */
export type FaultDetails = Readonly<Record<string, string | number | boolean>>

/** The one error class. `message` is a full sentence for a person; `code` is for programs. */
export class DaybookError extends Error {
  override readonly name = 'DaybookError'
  readonly code: FaultCode
  readonly details: FaultDetails

  constructor(code: FaultCode, message: string, options: { details?: FaultDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }

  /** Whether the same call may succeed when it is made again later. */
  get retry(): boolean {
    return FAULTS[this.code].retry
  }
}

/** The fault in `error` or in its causes, or `undefined` for a stranger's error; never throws. */
export function findFault(error: unknown): DaybookError | undefined {
  let current = error
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if (current instanceof DaybookError) return current
    current = current.cause
  }
  return undefined
}

/** Whether `error` is a fault of this code. */
export function isFault(error: unknown, code: FaultCode): error is DaybookError {
  return error instanceof DaybookError && error.code === code
}
