/** The shape of a text without its value: `2026-01-04 10:00:00` is `9999-99-99 99:99:99`. */

const LONGEST = 60

/** Digits as 9 (a run of five or more as `9+`), letters as A, a or x; the rest as it stands. */
export function shapeOf(text: string): string {
  return text
    .slice(0, LONGEST)
    .replace(/\d+/g, digits => (digits.length > 4 ? '9+' : '9'.repeat(digits.length)))
    .replace(/\p{Lu}+/gu, 'A')
    .replace(/\p{Ll}+/gu, 'a')
    .replace(/[^\P{L}Aa]+/gu, 'x')
}

const NUMBER_SHAPES: ReadonlyArray<readonly [string, RegExp]> = [
  ['empty', /^$/],
  ['dashes', /^-+$/],
  ['plain', /^-?\d+(\.\d+)?$/],
  ['plus', /^\+\d+(\.\d+)?$/],
  ['scientific', /^[+-]?\d+(\.\d+)?[eE][+-]?\d+$/],
  ['thousands', /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/],
  ['decimal comma', /^[+-]?\d+,\d+$/],
]

/** How a number is written: `plain`, `scientific`, `plus`, … */
export function numberShapeOf(text: string): string {
  return NUMBER_SHAPES.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other'
}

/** A name that may be shown: runs of digits, which may be ids, are blotted out. */
export function blotted(name: string): string {
  return name.slice(0, LONGEST).replace(/\d{5,}/g, '#')
}

/** Counts, by key, in a memory that does not grow with the file. */
export interface Tally {
  add(key: string): void
  /** The most frequent first. */
  list(): Record<string, number>
}

export function tally(limit: number): Tally {
  const counts = new Map<string, number>()
  return {
    add(key) {
      const kept = counts.has(key) || counts.size < limit ? key : '(other)'
      counts.set(kept, (counts.get(kept) ?? 0) + 1)
    },
    list: () => Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))),
  }
}
