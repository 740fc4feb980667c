/** What a file may cost at most. The link to it comes from outside, so nothing in it is trusted. */
export interface FileLimits {
  /** Entries of an archive. */
  readonly entries: number
  /** Bytes of text all parts may inflate to. */
  readonly inflatedBytes: number
  /** Inflated bytes for each compressed byte, once more than `RATIO_GRACE_BYTES` were inflated. */
  readonly ratio: number
  /** Bytes of one line; a longer one is an unreadable row. */
  readonly lineBytes: number
  /** Lines a quoted cell may span; more are taken for a missing closing quote. */
  readonly recordLines: number
  /** Columns of a header. */
  readonly columns: number
  /** Different operations, and different pairs of wallet and asset. */
  readonly names: number
  /** Bytes of rows that could not be read; a row costs some 50 there, however short it is. */
  readonly quarantineBytes: number
}

const GIB = 1024 ** 3

export const DEFAULT_LIMITS: FileLimits = {
  entries: 1000,
  inflatedBytes: 16 * GIB,
  ratio: 250,
  lineBytes: 1024 ** 2,
  recordLines: 32,
  columns: 1000,
  names: 100_000,
  quarantineBytes: 256 * 1024 ** 2,
}

/** A small file may be as repetitive as it likes. */
export const RATIO_GRACE_BYTES = 8 * 1024 ** 2

export function limitsOf(limits: Partial<FileLimits> = {}): FileLimits {
  return { ...DEFAULT_LIMITS, ...limits }
}
