/** Chance that a seed fixes: the same seed gives the same run. */

export interface Chance {
  /** From 0 up to, not including, 1. */
  fraction(): number
  happens(probability: number): boolean
  /** A whole number from `least` up to `most`, both included. */
  whole(least: number, most: number): number
  pick<T>(from: readonly T[]): T
}

/** The generator sfc32, run in from a seed. */
export function chanceOf(seed: number): Chance {
  let [a, b, c, d] = [0x9e3779b9, seed | 0, Math.floor(seed / 2 ** 32) | 0, 1]

  function next(): number {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  for (let round = 0; round < 12; round++) next()
  const fraction = () => next() / 2 ** 32
  const whole = (least: number, most: number) => least + Math.floor(fraction() * (most - least + 1))
  return {
    fraction,
    whole,
    happens: probability => fraction() < probability,
    pick: from => from[whole(0, from.length - 1)]!,
  }
}
