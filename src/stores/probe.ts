/**
 * Whether a store keeps the promises that everything else stands on. A store is tried, never trusted:
 * several that call themselves S3-compatible ignore conditions in silence.
 */
import { dayOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import type { Clock, Random } from '../host.ts'
import type { ObjectStore } from './object-store.ts'

export interface ProbeFinding {
  readonly check: string
  readonly passed: boolean
  /** What it means when it fails. */
  readonly says: string
}

const RACERS = 16

/** One race may be won by one by chance. */
const RACES = 4

/**
 * Tries the store under a fresh key in `doctor/`, where some small objects remain, and one of 8 MiB: there is no delete.
 * Throws `store-unavailable` or `store-refused` when the store cannot be tried at all.
 */
export async function probeStore(
  store: ObjectStore,
  { clock, random }: { clock: Clock; random: Random },
): Promise<ProbeFinding[]> {
  const folder = `doctor/${dayOf(clock.now())}/${random.hex(16)}`
  const once = await createsOnce(store, `${folder}/once`)
  return [
    once,
    await racesToOneWinner(store, `${folder}/race`),
    await refusesStaleReplace(store, `${folder}/replace`),
    await racesToOneReplacement(store, `${folder}/replace-race`),
    await createsLongOnce(store, 'doctor/long'),
    await listsAfterWrite(store, folder),
  ]
}

const bytes = (text: string) => Buffer.from(text)

async function createsOnce(store: ObjectStore, key: string): Promise<ProbeFinding> {
  const first = await store.create(key, bytes('first'))
  const second = await store.create(key, bytes('second'))
  const standing = await textAt(store, key)
  return {
    check: 'creates once',
    passed: first.outcome === 'created' && second.outcome === 'exists' && standing === 'first',
    says: 'An object that exists must not be created again; this store overwrites it, so quota and facts are not safe on it.',
  }
}

async function racesToOneWinner(store: ObjectStore, key: string): Promise<ProbeFinding> {
  const lost: number[] = []
  for (let race = 1; race <= RACES; race++) {
    const raced = await winnersOf(
      store,
      `${key}-${race}`,
      body => store.create(`${key}-${race}`, body),
      'created',
    )
    if (!raced.won) lost.push(raced.winners)
  }
  return {
    check: 'one winner of a race',
    passed: lost.length === 0,
    says: `Of ${RACERS} writers that create the same object at once exactly one must win; here ${lost.join(', ')} did.`,
  }
}

/** How many of the racers won, and whether it was one and its bytes are what stands. */
async function winnersOf(
  store: ObjectStore,
  key: string,
  write: (body: Uint8Array) => Promise<{ outcome: string }>,
  won: 'created' | 'replaced',
): Promise<{ won: boolean; winners: number }> {
  const racers = Array.from({ length: RACERS }, (_, racer) => write(bytes(`racer ${racer}`)))
  const outcomes = await Promise.all(racers)
  const winners = outcomes.flatMap(({ outcome }, racer) => (outcome === won ? [racer] : []))
  const stands = await textAt(store, key)
  return { won: winners.length === 1 && stands === `racer ${winners[0]}`, winners: winners.length }
}

async function refusesStaleReplace(store: ObjectStore, key: string): Promise<ProbeFinding> {
  const created = await store.create(key, bytes('one'))
  if (created.outcome !== 'created') throw taken()
  const fresh = await store.replace(key, bytes('two'), created.etag)
  const stale = await store.replace(key, bytes('three'), created.etag)
  return {
    check: 'refuses a stale replace',
    passed: fresh.outcome === 'replaced' && stale.outcome === 'stale' && (await textAt(store, key)) === 'two',
    says: 'An object that has changed must not be replaced by a writer who has not seen the change.',
  }
}

async function racesToOneReplacement(store: ObjectStore, key: string): Promise<ProbeFinding> {
  const lost: number[] = []
  for (let race = 1; race <= RACES; race++) {
    const fresh = `${key}-${race}`
    const created = await store.create(fresh, bytes('start'))
    if (created.outcome !== 'created') throw taken()
    const raced = await winnersOf(store, fresh, body => store.replace(fresh, body, created.etag), 'replaced')
    if (!raced.won) lost.push(raced.winners)
  }
  return {
    check: 'one winner of a raced replace',
    passed: lost.length === 0,
    says: `Of ${RACERS} writers that replace the same object at once exactly one must win; here ${lost.join(', ')} did.`,
  }
}

function taken(): DaybookError {
  return new DaybookError('store-refused', 'A fresh key of the store was taken.')
}

/** Longer than an object that S3 takes in one piece from us: conditions on parts put together are another matter. */
const LONG_BYTES = 8 * 2 ** 20 + 1

/** Always under the same key, so that the store is not filled with long objects. */
async function createsLongOnce(store: ObjectStore, key: string): Promise<ProbeFinding> {
  await store.create(key, zeros(LONG_BYTES))
  const again = await store.create(key, zeros(LONG_BYTES))
  return {
    check: 'creates a long object once',
    passed: again.outcome === 'exists' && (await store.head(key))?.size === LONG_BYTES,
    says: 'A long object is written in parts, and must not be created again either; report files are such objects.',
  }
}

async function* zeros(length: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(2 ** 20)
  for (let left = length; left > 0; left -= chunk.length) yield chunk.slice(0, Math.min(left, chunk.length))
}

const races = (name: string) => Array.from({ length: RACES }, (_, index) => `${name}-${index + 1}`)
const WRITTEN = ['once', ...races('race'), 'replace', ...races('replace-race')]

async function listsAfterWrite(store: ObjectStore, folder: string): Promise<ProbeFinding> {
  const listed: string[] = []
  for await (const { key } of store.list(`${folder}/`)) listed.push(key.slice(folder.length + 1))
  return {
    check: 'lists what was written',
    passed: listed.join() === WRITTEN.join(),
    says: 'A listing must show every object that was written before it.',
  }
}

async function textAt(store: ObjectStore, key: string): Promise<string | undefined> {
  const object = await store.get(key)
  return object === undefined ? undefined : Buffer.from(object.bytes).toString('utf8')
}
