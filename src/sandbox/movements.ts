/** Movements of money in an account of PayerMax or Onerway: what moves follows from seed, book and day alone. */
import { addDays, type Day, dayOf, startOfDay } from '../domain/calendar.ts'
import { chanceOf } from './chance.ts'

export interface Movement {
  /** 19 digits, above 2^53 and odd, so that no double holds it. */
  readonly id: string
  readonly serviceId: string
  readonly atMs: number
  readonly currency: string
  /** Signed. */
  readonly units: bigint
  readonly kind: string
}

export interface MovementBook {
  readonly seed: string
  /** Provider, merchant and account. */
  readonly name: string
  readonly currency: string
  readonly openedOn: Day
}

const DAY_MS = 86_400_000
const KINDS = ['PAYMENT', 'PAYMENT', 'PAYMENT', 'REFUND', 'SETTLEMENT', 'PAYOUT', 'FEE']
const OUT = new Set(['REFUND', 'PAYOUT', 'FEE'])
const MOST_A_DAY = 12

/** What an account holds as it opens. */
export const OPENING_UNITS = 1_000_000n

/** The movements from `fromMs` up to, not including, `toMs`, in the order of time. */
export function movementsOf(book: MovementBook, fromMs: number, toMs: number): Movement[] {
  const movements: Movement[] = []
  const first = dayOf(new Date(fromMs))
  for (let day = first > book.openedOn ? first : book.openedOn; startOfDay(day).getTime() < toMs; ) {
    movements.push(...dayOfMovements(book, day))
    day = addDays(day, 1)
  }
  return movements.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
}

/** What the account holds at an instant, before what moves in it. */
export function heldAt(book: MovementBook, atMs: number): bigint {
  const start = startOfDay(book.openedOn).getTime()
  return movementsOf(book, start, atMs).reduce((sum, { units }) => sum + units, OPENING_UNITS)
}

function dayOfMovements(book: MovementBook, day: Day): Movement[] {
  const chance = chanceOf(JSON.stringify([book.seed, book.name, book.currency, day]))
  const begin = startOfDay(day).getTime()
  const times = Array.from({ length: 4 + chance.below(MOST_A_DAY - 4) }, () => chance.below(DAY_MS))
  return times
    .sort((one, other) => one - other)
    .map((offset, index) => {
      const kind = chance.pick(KINDS)
      const size = BigInt(1 + chance.below(OUT.has(kind) ? 9_000 : 25_000))
      return {
        id: idOf(`${book.name} ${book.currency} ${day} ${index}`),
        serviceId: idOf(`service ${book.name} ${book.currency} ${day} ${index}`),
        atMs: begin + offset,
        currency: book.currency,
        units: OUT.has(kind) ? -size : size,
        kind,
      }
    })
}

/** 19 digits that begin as Onerway's do. */
export function idOf(text: string): string {
  const chance = chanceOf(text)
  return (
    1_960_000_000_000_000_000n +
    BigInt(chance.below(2 ** 31)) * 2n ** 21n +
    BigInt(chance.below(2 ** 20)) * 2n +
    1n
  ).toString()
}
