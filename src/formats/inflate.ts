/** Decompression as a stream of chunks, with every limit and every checksum enforced. */
import { pipeline, Readable } from 'node:stream'
import { createGunzip, createInflateRaw, type Gunzip, type InflateRaw } from 'node:zlib'
import { damaged, unreadable } from './file-fault.ts'
import { type FileLimits, RATIO_GRACE_BYTES } from './limits.ts'

/**
 * Node inflates 2.5 times faster in chunks of this size than in its default of 16 KiB. Some chunks are
 * inflated ahead, on another thread, while the rows of the last one are read.
 */
const CHUNK = { chunkSize: 256 * 1024, highWaterMark: 1024 ** 2 }

/** A budget with nothing spent. */
export function newBudget(limits: FileLimits, compressedBytes: number): InflateBudget {
  return { limits, compressedBytes, inflatedBytes: 0 }
}

export const gunzip = () => createGunzip(CHUNK)
export const inflateRaw = () => createInflateRaw(CHUNK)

/** What was inflated so far, over all parts of one file. */
export interface InflateBudget {
  readonly limits: FileLimits
  readonly compressedBytes: number
  inflatedBytes: number
}

/** The bytes of `source` after `inflater`; a fault of zlib becomes `file-damaged`. */
export async function* inflated(
  source: AsyncIterable<Uint8Array>,
  inflater: Gunzip | InflateRaw,
  budget: InflateBudget,
): AsyncGenerator<Buffer> {
  let sourceFault: unknown
  const watched = Readable.from(
    rememberFault(source, fault => (sourceFault = fault)),
    { objectMode: false },
  )
  pipeline(watched, inflater, () => {})
  try {
    for await (const chunk of inflater) {
      spend(budget, chunk.length)
      yield chunk
    }
  } catch (error) {
    throw sourceFault ?? zlibFault(error)
  }
}

/** A fault of the source must come out as itself, not as damage to the file. */
async function* rememberFault(source: AsyncIterable<Uint8Array>, remember: (fault: unknown) => void) {
  try {
    yield* source
  } catch (error) {
    remember(error)
    throw error
  }
}

/** Counts bytes against the limits, and throws when one is passed. */
export function spend(budget: InflateBudget, bytes: number): void {
  budget.inflatedBytes += bytes
  const { limits, inflatedBytes, compressedBytes } = budget
  if (inflatedBytes > limits.inflatedBytes) {
    throw unreadable(
      'too-large',
      `The file inflates to more than ${limits.inflatedBytes} bytes, the limit.`,
      {
        limit: limits.inflatedBytes,
      },
    )
  }
  if (inflatedBytes > RATIO_GRACE_BYTES && inflatedBytes > limits.ratio * compressedBytes) {
    throw unreadable(
      'too-dense',
      `The file inflates to more than ${limits.ratio} times its size, the limit.`,
      {
        limit: limits.ratio,
      },
    )
  }
}

const ZLIB_REASONS: Readonly<Record<string, string>> = {
  'unexpected end of file': 'truncated',
  'incorrect data check': 'crc',
  'incorrect length check': 'size',
}

/** Maps a fault of zlib; anything else (a limit, a caller's own fault) passes unchanged. */
function zlibFault(error: unknown): unknown {
  if (!(error instanceof Error && 'errno' in error && 'code' in error)) return error
  if (typeof error.code !== 'string' || !error.code.startsWith('Z_')) return error
  const reason = ZLIB_REASONS[error.message] ?? 'compressed-data'
  return damaged(reason, `The compressed file is damaged: ${error.message}.`, {}, error)
}
