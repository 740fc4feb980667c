/** Report ids as Binance's look: ordered by time, above 2^53, never ending in zero bits. */

const EPOCH_SECONDS = 1_577_836_800

/**
 * Mints ids `((seconds since 2020) << 31) | (node << 12) | odd sequence`. `taken` says which ids a former
 * life of the sandbox has given away.
 */
export function createIdMint(node: number, taken: (id: string) => boolean): (instantMs: number) => string {
  let minted = 0
  return function mint(instantMs): string {
    const seconds = BigInt(Math.floor(instantMs / 1000) - EPOCH_SECONDS)
    const sequence = BigInt((minted % 2048) * 2 + 1)
    const place = BigInt((node + Math.floor(minted / 2048)) % 2 ** 19)
    minted++
    const id = ((seconds << 31n) | (place << 12n) | sequence).toString()
    return taken(id) ? mint(instantMs) : id
  }
}
