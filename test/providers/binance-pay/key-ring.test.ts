import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DaybookError } from '../../../src/domain/errors.ts'
import type { CertificateEntry } from '../../../src/providers/binance-pay/certificates.ts'
import { keyRing } from '../../../src/providers/binance-pay/key-ring.ts'
import type { ObjectStore } from '../../../src/stores/object-store.ts'
import { publicKeys } from '../../../src/stores/public-keys.ts'
import { fixedClock } from '../../support/fixed-clock.ts'
import { memoryStore } from '../../support/memory-store.ts'
import { keysOf, text } from '../../support/objects.ts'
import { quietLog } from '../../support/quiet-log.ts'

interface Made extends CertificateEntry {
  readonly key: KeyObject
}

function makeKey(bits = 2048): Made {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString().trim()
  return {
    serial: createHash('md5').update(pem).digest('hex').toUpperCase(),
    publicKey: pem,
    key: publicKey,
  }
}

const ONE = makeKey()
const TWO = makeKey()
const SMALL = makeKey(1024)
const REFETCH_AFTER_MS = 10_000

function ringOver(
  entries: CertificateEntry[],
  store: ObjectStore = memoryStore(),
  baseUrl = 'https://api.example.com',
) {
  const clock = fixedClock()
  const log = quietLog()
  const provider = {
    entries,
    fetches: 0,
    fault: undefined as Error | undefined,
    /** What the next fetches wait for. */
    gate: Promise.resolve(),
  }
  const ring = keyRing({
    provider: 'binance-pay',
    baseUrl,
    async fetchKeys() {
      provider.fetches++
      await provider.gate
      if (provider.fault !== undefined) throw provider.fault
      return provider.entries
    },
    records: publicKeys(store, 'binance-pay'),
    clock,
    log,
    refetchAfterMs: REFETCH_AFTER_MS,
  })
  const finds = async (serial: string, made: Made) => (await ring.find(serial))?.equals(made.key) === true
  return { ring, clock, log, store, provider, finds }
}

const unreachable = () => new DaybookError('provider-unreachable', 'No network.')
const keyPath = ({ serial }: CertificateEntry) => `keys/binance-pay/${serial}.json`

describe('a known serial', () => {
  it('is found, and fetched only once', async () => {
    const { finds, provider } = ringOver([ONE, TWO])
    for (let time = 0; time < 3; time++) {
      expect(await finds(ONE.serial, ONE)).toBe(true)
      expect(await finds(TWO.serial, TWO)).toBe(true)
    }
    expect(provider.fetches).toBe(1)
  })

  it('is the same in upper and lower case, as it is asked for and as it is answered', async () => {
    const { finds, provider } = ringOver([{ ...ONE, serial: ONE.serial.toLowerCase() }])
    expect(await finds(ONE.serial, ONE)).toBe(true)
    expect(await finds(ONE.serial.toLowerCase(), ONE)).toBe(true)
    expect(provider.fetches).toBe(1)
  })

  it('is opaque: also a number, a name, or an odd text is one', async () => {
    const serials = [
      '29383937493038367292',
      'constructor',
      '__proto__',
      'a/b',
      '../x',
      'key 1',
      'ß',
      'x'.repeat(300),
    ]
    const { finds, store } = ringOver(serials.map(serial => ({ ...ONE, serial })))
    for (const serial of serials) expect(await finds(serial, ONE), serial).toBe(true)
    // What cannot stand in a key is not recorded, and nothing leaves the folder of the provider.
    for (const key of await keysOf(store, '')) expect(key).toMatch(/^keys\/binance-pay\/[\w]+\.json$/)
  })

  it('asked for by a thousand at once is fetched once', async () => {
    const { finds, provider } = ringOver([ONE])
    const found = await Promise.all(Array.from({ length: 1000 }, () => finds(ONE.serial, ONE)))
    expect(found.every(Boolean)).toBe(true)
    expect(provider.fetches).toBe(1)
  })
})

describe('rotation', () => {
  it('is noticed at an unknown serial: the keys are asked for once more, and the old one is kept', async () => {
    const { finds, provider, clock } = ringOver([ONE])
    expect(await finds(ONE.serial, ONE)).toBe(true)
    provider.entries = [TWO]
    await clock.advance(REFETCH_AFTER_MS)
    expect(await finds(TWO.serial, TWO)).toBe(true)
    expect(provider.fetches).toBe(2)
    expect(await finds(ONE.serial, ONE)).toBe(true)
    expect(provider.fetches).toBe(2)
  })

  it('is logged: every serial once, when it is first seen by anyone', async () => {
    const { ring, finds, provider, clock, log, store } = ringOver([ONE])
    await finds(ONE.serial, ONE)
    provider.entries = [ONE, TWO]
    await clock.advance(REFETCH_AFTER_MS)
    await finds(TWO.serial, TWO)
    await ring.refresh()
    expect(log.of('key.first-seen').map(({ fields }) => fields.serial)).toEqual([ONE.serial, TWO.serial])
    const other = ringOver([ONE, TWO], store)
    await other.ring.refresh()
    expect(other.log.lines).toEqual([])
  })

  it('does not exchange the key of a serial that is known', async () => {
    const { ring, finds, provider } = ringOver([ONE])
    expect(await finds(ONE.serial, ONE)).toBe(true)
    provider.entries = [{ ...TWO, serial: ONE.serial }]
    await ring.refresh()
    expect(await finds(ONE.serial, ONE)).toBe(true)
  })
})

describe('an unknown serial', () => {
  it('causes one fetch, however many strangers invent serials at once', async () => {
    const { ring, provider } = ringOver([ONE])
    const inventions = Array.from({ length: 1000 }, (_, index) => ring.find(`INVENTED${index}`))
    expect(new Set(await Promise.all(inventions))).toEqual(new Set([undefined]))
    expect(provider.fetches).toBe(1)
  })

  it('causes one fetch while that fetch takes long', async () => {
    const { ring, provider, clock } = ringOver([ONE])
    const gate = Promise.withResolvers<void>()
    provider.gate = gate.promise
    const early = Array.from({ length: 500 }, (_, index) => ring.find(`EARLY${index}`))
    await clock.advance(REFETCH_AFTER_MS * 3)
    const late = Array.from({ length: 500 }, (_, index) => ring.find(`LATE${index}`))
    await clock.advance(0)
    gate.resolve()
    await Promise.all([...early, ...late])
    expect(provider.fetches).toBe(1)
  })

  it('causes another fetch only when the interval is over', async () => {
    const { ring, provider, clock } = ringOver([ONE])
    await ring.find('A1')
    await clock.advance(REFETCH_AFTER_MS - 1)
    await ring.find('A1')
    await ring.find('A2')
    expect(provider.fetches).toBe(1)
    await clock.advance(1)
    await ring.find('A1')
    await ring.find('A3')
    expect(provider.fetches).toBe(2)
  })

  it('is not waited for with a new key in vain: whoever asks while the keys are fetched has it too', async () => {
    const { ring, finds, provider } = ringOver([ONE])
    const gate = Promise.withResolvers<void>()
    provider.gate = gate.promise
    const stranger = ring.find('INVENTED')
    const genuine = finds(ONE.serial, ONE)
    gate.resolve()
    expect(await stranger).toBeUndefined()
    expect(await genuine).toBe(true)
    expect(provider.fetches).toBe(1)
  })

  it('is looked for in the store again once the keys have been asked for again', async () => {
    const { ring, finds, store, clock } = ringOver([ONE])
    expect(await ring.find(TWO.serial)).toBeUndefined()
    await ringOver([TWO], store).ring.refresh()
    await clock.advance(REFETCH_AFTER_MS)
    expect(await ring.find('INVENTED')).toBeUndefined()
    expect(await finds(TWO.serial, TWO)).toBe(true)
  })

  it('costs no look into the store the second time', async () => {
    const store = memoryStore()
    let looks = 0
    const get: ObjectStore['get'] = key => {
      looks++
      return store.get(key)
    }
    const { ring } = ringOver([ONE], { ...store, get })
    await ring.find('INVENTED')
    const first = looks
    for (let time = 0; time < 50; time++) await ring.find('INVENTED')
    expect(looks).toBe(first)
  })

  it('is refused without a key when it cannot be recorded', async () => {
    const { ring, store } = ringOver([ONE])
    expect(await ring.find('../../quota/x')).toBeUndefined()
    expect(await ring.find('.hidden')).toBeUndefined()
    expect(await keysOf(store, '')).toEqual([keyPath(ONE)])
  })
})

describe('the store', () => {
  it('keeps a key as it was printed, with the time it was first seen', async () => {
    const { ring, store } = ringOver([ONE])
    await ring.refresh()
    const object = await store.get(keyPath(ONE))
    expect(JSON.parse(Buffer.from(object!.bytes).toString())).toEqual({
      serial: ONE.serial,
      publicKey: ONE.publicKey,
      printedBy: 'https://api.example.com',
      firstSeenAt: '2026-03-10T12:00:00.000Z',
    })
  })

  it('does not trust a key that another API printed, such as a sandbox', async () => {
    const { ring, store } = ringOver([ONE])
    await ring.refresh()
    const elsewhere = ringOver([], store, 'https://other.example.com')
    expect(await elsewhere.finds(ONE.serial, ONE)).toBe(false)
  })

  it('has the keys after a restart, without the network', async () => {
    const { ring, store } = ringOver([ONE, TWO])
    await ring.refresh()
    const restarted = ringOver([], store)
    restarted.provider.fault = unreachable()
    expect(await restarted.finds(ONE.serial.toLowerCase(), ONE)).toBe(true)
    expect(await restarted.finds(TWO.serial, TWO)).toBe(true)
    expect(restarted.provider.fetches).toBe(0)
  })

  it('does not change the first record of a serial', async () => {
    const { ring, store, provider } = ringOver([ONE])
    await ring.refresh()
    const before = await store.get(keyPath(ONE))
    const other = ringOver([{ ...TWO, serial: ONE.serial }], store)
    await other.ring.refresh()
    expect(await store.get(keyPath(ONE))).toEqual(before)
    expect(provider.fetches).toBe(1)
  })

  it('that cannot be reached makes the sender come back: it does not make the key unknown', async () => {
    const store = memoryStore()
    let down = true
    const fault = new DaybookError('store-unavailable', 'No disk.')
    const create: ObjectStore['create'] = (key, body) =>
      down ? Promise.reject(fault) : store.create(key, body)
    const { ring, finds, clock } = ringOver([ONE], { ...store, create })
    await expect(ring.find(ONE.serial)).rejects.toThrow(fault)
    down = false
    await clock.advance(REFETCH_AFTER_MS)
    expect(await finds(ONE.serial, ONE)).toBe(true)
  })

  it('that holds nonsense under a serial is a fault, not a key', async () => {
    const { ring, store } = ringOver([ONE])
    await store.create(keyPath(ONE), text('{"serial":1}'))
    await expect(ring.find(ONE.serial)).rejects.toMatchObject({ code: 'record-invalid' })
  })
})

describe('a key that cannot be read', () => {
  it.each([
    ['garbage', { serial: 'BAD', publicKey: 'garbage' }],
    ['too small', SMALL],
  ])('does not spoil the others: %s', async (_, bad) => {
    const { ring, finds, log, store } = ringOver([bad, ONE, bad, TWO])
    expect(await ring.refresh()).toEqual([ONE.serial, TWO.serial])
    expect(await finds(ONE.serial, ONE)).toBe(true)
    expect(await finds(TWO.serial, TWO)).toBe(true)
    expect(await ring.find(bad.serial)).toBeUndefined()
    expect(log.of('key.refused')[0]).toMatchObject({
      level: 'warn',
      fields: { serial: bad.serial, error: 'provider-protocol' },
    })
    expect(await keysOf(store, 'keys/')).toEqual([keyPath(ONE), keyPath(TWO)].sort())
  })
})

describe('a fetch that fails', () => {
  it('is thrown to everybody who waits for it', async () => {
    const { ring, provider } = ringOver([ONE])
    provider.fault = unreachable()
    const results = await Promise.allSettled([ring.find(ONE.serial), ring.find('OTHER'), ring.refresh()])
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'provider-unreachable' } })
    expect(provider.fetches).toBe(1)
  })

  it('leaves a serial undecided, so it is thrown again until the interval is over, without another fetch', async () => {
    const { ring, provider, clock } = ringOver([ONE])
    provider.fault = unreachable()
    await expect(ring.find(ONE.serial)).rejects.toMatchObject({ code: 'provider-unreachable' })
    provider.fault = undefined
    await clock.advance(REFETCH_AFTER_MS - 1)
    await expect(ring.find(ONE.serial)).rejects.toMatchObject({ code: 'provider-unreachable' })
    expect(provider.fetches).toBe(1)
  })

  it('is made up for when the interval is over', async () => {
    const { ring, finds, provider, clock } = ringOver([ONE])
    provider.fault = unreachable()
    await expect(ring.find(ONE.serial)).rejects.toMatchObject({ code: 'provider-unreachable' })
    provider.fault = undefined
    await clock.advance(REFETCH_AFTER_MS)
    expect(await finds(ONE.serial, ONE)).toBe(true)
    expect(await ring.find('INVENTED')).toBeUndefined()
  })

  it('does not take away the keys that are known', async () => {
    const { ring, finds, provider, clock } = ringOver([ONE])
    expect(await finds(ONE.serial, ONE)).toBe(true)
    provider.fault = unreachable()
    await clock.advance(REFETCH_AFTER_MS)
    await expect(ring.find('INVENTED')).rejects.toMatchObject({ code: 'provider-unreachable' })
    expect(await finds(ONE.serial, ONE)).toBe(true)
  })
})
