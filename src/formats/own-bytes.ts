/** Bytes that are used once. */

/** Below this size the collector may have them. */
const LARGE_BYTES = 32 * 1024

/**
 * Frees the memory of bytes that nobody else has; they are empty afterwards. Left to the collector, a large
 * file would make it run a hundred times, for nothing but these.
 */
export function letGo({ buffer, byteLength }: Uint8Array): void {
  const isWhole = byteLength === buffer.byteLength
  if (isWhole && byteLength >= LARGE_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0)
}
