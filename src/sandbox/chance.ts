/** Chance that repeats itself: the same text always begins the same row of numbers. */
import { createHash } from 'node:crypto'

export interface Chance {
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number
  pick<T>(list: readonly T[]): T
  /** `length` characters of `alphabet`. */
  text(length: number, alphabet: string): string
  /** Reorders `list` in place. */
  shuffle<T>(list: T[]): void
}

/** The generator sfc32, begun with the SHA-256 of `seed`. Not for secrets. */
export function chanceOf(seed: string): Chance {
  const digest = createHash('sha256').update(seed).digest()
  let [a, b, c, d] = [0, 4, 8, 12].map(at => digest.readUInt32LE(at)) as [number, number, number, number]
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    pick: list => list[below(list.length)]!,
    text: (length, alphabet) => {
      let text = ''
      while (text.length < length) text += alphabet[below(alphabet.length)]
      return text
    },
    shuffle: list => {
      for (let last = list.length - 1; last > 0; last--) {
        const other = below(last + 1)
        ;[list[last], list[other]] = [list[other]!, list[last]!]
      }
    },
  }
}
