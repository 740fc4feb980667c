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

/**
 * Tries the store under a fresh key in `doctor/`, where some small objects remain: there is no delete.
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
  const racers = Array.from({ length: RACERS }, (_, racer) => store.create(key, bytes(`racer ${racer}`)))
  const outcomes = await Promise.all(racers)
  const winners = outcomes.flatMap(({ outcome }, racer) => (outcome === 'created' ? [racer] : []))
  return {
    check: 'one winner of a race',
    passed: winners.length === 1 && (await textAt(store, key)) === `racer ${winners[0]}`,
    says: `Of ${RACERS} writers that create the same object at once exactly one must win; here ${winners.length} did.`,
  }
}

async function refusesStaleReplace(store: ObjectStore, key: string): Promise<ProbeFinding> {
  const created = await store.create(key, bytes('one'))
  if (created.outcome !== 'created')
    throw new DaybookError('store-refused', 'A fresh key of the store was taken.')
  const fresh = await store.replace(key, bytes('two'), created.etag)
  const stale = await store.replace(key, bytes('three'), created.etag)
  return {
    check: 'refuses a stale replace',
    passed: fresh.outcome === 'replaced' && stale.outcome === 'stale' && (await textAt(store, key)) === 'two',
    says: 'An object that has changed must not be replaced by a writer who has not seen the change.',
  }
}

async function listsAfterWrite(store: ObjectStore, folder: string): Promise<ProbeFinding> {
  const listed: string[] = []
  for await (const { key } of store.list(`${folder}/`)) listed.push(key.slice(folder.length + 1))
  return {
    check: 'lists what was written',
    passed: listed.join() === 'once,race,replace',
    says: 'A listing must show every object that was written before it.',
  }
}

async function textAt(store: ObjectStore, key: string): Promise<string | undefined> {
  const object = await store.get(key)
  return object === undefined ? undefined : Buffer.from(object.bytes).toString('utf8')
}
