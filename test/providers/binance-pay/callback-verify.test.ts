import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  isSignedBy,
  readSignedHeaders,
  type SignedHeaders,
  verifyCallback,
} from '../../../src/providers/binance-pay/callback.ts'
import type { CallbackMessage, CallbackVerdict } from '../../../src/providers/provider.ts'
import { readPublicKey } from '../../../src/providers/rsa-keys.ts'

/** The vector of the documentation (FAQ, solution A), in full. */
const OFFICIAL = {
  key: 'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCVAMXVTMIuttHcP1kvSk9V39S7BqDbY+LC9JfwMzyoubo3fdsqBf4EmB1PfBUigcOL5YBqMKGEE6xmVw6SXCTH4JwXdqJ4IRiXf76YMt6PB0dMzu/qCmhaGFGkqT6vJM0hHyEbtS/P3FR9ZU+eaOvynLWbFvXTzIoctZM1IvDrCwIDAQAB',
  headers: {
    timestamp: '1611232922428',
    nonce: '5RhaTrZPhknNv0kDSA2UQ67cPMVNS4sA',
    serial: 'any',
    signature:
      'VtniwOFAi4oBKFnvHhY6UZ+wPARf7+yWVbE61Hc7JVdRgqKJ40Yk9k5Gb2Y0S0VLUYOOOhUNUsD7R8GDEr6WH84sAEf8bXa1xYMiyjgeGleTg1MxRJCtrHcxMeMCEXPWmKTeLhn6O+cdvDGq4ZpcTTiQnEvk5xHPcxFrBT637zg=',
  },
  body: String.raw`{"bizType":"PAY","data":"{\"merchantTradeNo\":\"9825382937292\",\"totalFee\":0.88000000,\"transactTime\":1619508939664,\"currency\":\"EUR\",\"commission\":0,\"openUserId\":\"1211HS10K81f4273ac031\",\"productType\":\"Food\",\"productName\":\"Ice Cream\",\"tradeType\":\"WEB\",\"transactionId\":\"M_R_282737362839373\"}","bizId":29383937493038367292,"bizStatus":"PAY_SUCCESS"}`,
}

describe('the documented callback', () => {
  const key = readPublicKey(OFFICIAL.key, 1024)
  const signed = (body: string | Buffer, changed: Partial<SignedHeaders> = {}) =>
    isSignedBy(key, { ...OFFICIAL.headers, ...changed }, Buffer.from(body))

  it('is printed here as it is there', () => {
    expect(Buffer.byteLength(OFFICIAL.body)).toBe(374)
    expect(createHash('sha256').update(OFFICIAL.body).digest('hex')).toBe(
      '675781a83b5af920b02c92dd98085835b2e1efd3ad22dfca9c2d8861a6627b2a',
    )
  })

  it('verifies', () => expect(signed(OFFICIAL.body)).toBe(true))

  it('verifies in full, but for the floor of the key', async () => {
    const verdict = await verifyCallback(messageOf(OFFICIAL.headers, OFFICIAL.body), {
      findKey: async () => key,
      now: new Date(1611232922428),
      maxAgeMs: 0,
    })
    expect(verdict).toMatchObject({ verdict: 'verified', fresh: true })
    expect(() => readPublicKey(OFFICIAL.key)).toThrow('1024 bits')
  })

  it('fails when it went through a JSON parser and back', () => {
    const again = JSON.stringify(JSON.parse(OFFICIAL.body))
    expect(again).not.toBe(OFFICIAL.body)
    expect(signed(again)).toBe(false)
  })

  it('fails without its last line feed, and with another', () => {
    // The payload ends in a line feed of its own, so a body less its last byte is a payload without one.
    expect(signed(OFFICIAL.body.slice(0, -1))).toBe(false)
    expect(signed(`${OFFICIAL.body}\n`)).toBe(false)
    expect(signed(` ${OFFICIAL.body}`)).toBe(false)
  })

  it('fails with another time or nonce', () => {
    expect(signed(OFFICIAL.body, { timestamp: '1611232922429' })).toBe(false)
    expect(signed(OFFICIAL.body, { nonce: OFFICIAL.headers.nonce.toLowerCase() })).toBe(false)
  })
})

const NOW = new Date('2026-03-10T12:00:00.000Z')
const MAX_AGE_MS = 300_000
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const NONCE = '0123456789abcdef0123456789ABCDEF'
const SERIAL = '0A1B2C3D4E5F'

interface Signed {
  readonly timestamp?: string
  readonly nonce?: string
  readonly serial?: string
  readonly key?: KeyObject
  readonly payload?: (timestamp: string, nonce: string, body: Buffer) => Buffer
}

const documentedPayload = (timestamp: string, nonce: string, body: Buffer) =>
  Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')])

function signedHeaders(body: string | Buffer, options: Signed = {}): SignedHeaders {
  const { timestamp = String(NOW.getTime()), nonce = NONCE, serial = SERIAL, key = privateKey } = options
  const payload = (options.payload ?? documentedPayload)(timestamp, nonce, Buffer.from(body))
  return { timestamp, nonce, serial, signature: sign('RSA-SHA256', payload, key).toString('base64') }
}

function messageOf(headers: SignedHeaders, body: string | Buffer): CallbackMessage {
  return {
    headers: {
      host: 'merchant.example.com',
      'binancepay-timestamp': headers.timestamp,
      'binancepay-nonce': headers.nonce,
      'binancepay-certificate-sn': headers.serial,
      'binancepay-signature': headers.signature,
    },
    body: Buffer.from(body),
  }
}

interface Asked {
  readonly verdict: CallbackVerdict
  /** The serials that keys were asked for. */
  readonly serials: string[]
}

async function ask(message: CallbackMessage, key: KeyObject | undefined = publicKey): Promise<Asked> {
  const serials: string[] = []
  const findKey = async (serial: string) => {
    serials.push(serial)
    return key
  }
  return { verdict: await verifyCallback(message, { findKey, now: NOW, maxAgeMs: MAX_AGE_MS }), serials }
}

const verdictOf = async (message: CallbackMessage) => (await ask(message)).verdict
const refused = (reason: string) => ({ verdict: 'refused', reason })

const BODY = '{"bizType":"PAY","bizId":1}'

describe('a signed callback', () => {
  it('verifies, and names its key, its time and the headers that were signed', async () => {
    const headers = signedHeaders(BODY)
    const { verdict, serials } = await ask(messageOf(headers, BODY))
    expect(serials).toEqual([SERIAL])
    expect(verdict).toEqual({
      verdict: 'verified',
      keySerial: SERIAL,
      signedAt: NOW,
      fresh: true,
      headers: {
        'binancepay-timestamp': headers.timestamp,
        'binancepay-nonce': NONCE,
        'binancepay-certificate-sn': SERIAL,
        'binancepay-signature': headers.signature,
      },
    })
  })

  it.each([
    ['nothing', ''],
    ['bytes that are no text', Buffer.from([0, 0xff, 0xfe, 10, 13])],
    ['line feeds', '\n\n'],
    ['JSON with spaces', '{ "bizType" : "PAY" }'],
  ])('verifies when its body is %s', async (_, body) => {
    expect(await verdictOf(messageOf(signedHeaders(body), body))).toMatchObject({ verdict: 'verified' })
  })

  it('fails when any bit of any byte of its body is another', async () => {
    const headers = signedHeaders(BODY)
    const original = Buffer.from(BODY)
    for (let index = 0; index < original.length; index++) {
      for (const flip of [1, 0x20, 0x80]) {
        const changed = Buffer.from(original)
        changed[index]! ^= flip
        expect(isSignedBy(publicKey, headers, changed)).toBe(false)
      }
    }
    expect(await verdictOf(messageOf(headers, BODY.replace('1', '2')))).toEqual(refused('signature-wrong'))
  })

  it('fails when any character of its signature is another', async () => {
    const headers = signedHeaders(BODY)
    for (let index = 0; index < headers.signature.length; index++) {
      const other = headers.signature[index] === 'A' ? 'B' : 'A'
      const signature = headers.signature.slice(0, index) + other + headers.signature.slice(index + 1)
      const verdict = await verdictOf(messageOf({ ...headers, signature }, BODY))
      expect(verdict.verdict, `position ${index}`).toBe('refused')
    }
  })

  it('fails when a byte moved from one signed part to the next', async () => {
    const headers = signedHeaders(BODY)
    const moved = { ...headers, timestamp: headers.timestamp.slice(0, -1), nonce: `8${NONCE}` }
    expect(await verdictOf(messageOf(moved, BODY))).toEqual(refused('signature-wrong'))
    const fromNonce = { ...headers, nonce: NONCE.slice(0, -1) }
    expect(await verdictOf(messageOf(fromNonce, `F${BODY}`))).toEqual(refused('signature-wrong'))
  })

  it.each([
    [
      'has no last line feed',
      (time: string, nonce: string, body: Buffer) =>
        Buffer.concat([Buffer.from(`${time}\n${nonce}\n`), body]),
    ],
    [
      'has spaces before the line feeds',
      (time: string, nonce: string, body: Buffer) =>
        Buffer.concat([Buffer.from(`${time} \n${nonce} \n`), body, Buffer.from(' \n')]),
    ],
    [
      'has line ends of Windows',
      (time: string, nonce: string, body: Buffer) =>
        Buffer.concat([Buffer.from(`${time}\r\n${nonce}\r\n`), body, Buffer.from('\r\n')]),
    ],
    ['is the body alone', (_time: string, _nonce: string, body: Buffer) => body],
  ])('fails when what was signed %s', async (_, payload) => {
    const headers = signedHeaders(BODY, { payload })
    expect(await verdictOf(messageOf(headers, BODY))).toEqual(refused('signature-wrong'))
  })

  it('fails under the key of another', async () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const headers = signedHeaders(BODY, { key: stranger.privateKey })
    expect(await verdictOf(messageOf(headers, BODY))).toEqual(refused('signature-wrong'))
    const { verdict } = await ask(messageOf(signedHeaders(BODY), BODY), stranger.publicKey)
    expect(verdict).toEqual(refused('signature-wrong'))
  })

  it('fails under a key that is no RSA key, without throwing', async () => {
    const { publicKey: edwards } = generateKeyPairSync('ed25519')
    const { verdict } = await ask(messageOf(signedHeaders(BODY), BODY), edwards)
    expect(verdict).toEqual(refused('signature-wrong'))
  })

  it('is refused when nobody knows its key', async () => {
    const verdict = await verifyCallback(messageOf(signedHeaders(BODY), BODY), {
      findKey: async () => undefined,
      now: NOW,
      maxAgeMs: MAX_AGE_MS,
    })
    expect(verdict).toEqual(refused('key-unknown'))
  })

  it('is no refusal when its key cannot be fetched: that is thrown', async () => {
    const mishap = new Error('the network is down')
    const findKey = () => Promise.reject(mishap)
    const asked = verifyCallback(messageOf(signedHeaders(BODY), BODY), { findKey, now: NOW, maxAgeMs: 1 })
    await expect(asked).rejects.toBe(mishap)
  })
})

describe('freshness', () => {
  it.each([
    ['is signed now', 0, true],
    ['is as old as may be', -MAX_AGE_MS, true],
    ['is a millisecond older', -MAX_AGE_MS - 1, false],
    ['is as far in the future as may be', MAX_AGE_MS, true],
    ['is a millisecond further', MAX_AGE_MS + 1, false],
    ['is a day old', -86_400_000, false],
  ])('a callback that %s is still verified', async (_, offsetMs, fresh) => {
    const signedAt = new Date(NOW.getTime() + offsetMs)
    const headers = signedHeaders(BODY, { timestamp: String(signedAt.getTime()) })
    expect(await verdictOf(messageOf(headers, BODY))).toMatchObject({ verdict: 'verified', signedAt, fresh })
  })

  it('takes a time in seconds for what it says: long ago', async () => {
    const headers = signedHeaders(BODY, { timestamp: String(NOW.getTime()).slice(0, 10) })
    expect(await verdictOf(messageOf(headers, BODY))).toMatchObject({ verdict: 'verified', fresh: false })
  })

  it('holds for the longest time that is taken', async () => {
    const headers = signedHeaders(BODY, { timestamp: '9'.repeat(15) })
    expect(await verdictOf(messageOf(headers, BODY))).toMatchObject({ verdict: 'verified', fresh: false })
  })
})

const NAMES = [
  'binancepay-timestamp',
  'binancepay-nonce',
  'binancepay-certificate-sn',
  'binancepay-signature',
] as const

describe('headers', () => {
  const base = messageOf(signedHeaders(BODY), BODY)
  const changed = (headers: CallbackMessage['headers']) =>
    ask({ body: base.body, headers: { ...base.headers, ...headers } })

  it.each(NAMES)('are refused before any key is looked for when %s is missing', async name => {
    expect(await changed({ [name]: undefined })).toEqual({ verdict: refused('header-missing'), serials: [] })
  })

  it.each(NAMES)('are refused when %s is empty, comes twice, or is huge', async name => {
    const value = String(base.headers[name])
    const odd = ['', [value], [value, value], [], `${value}, ${value}`, 'A'.repeat(1_000_000)]
    for (const one of odd) {
      expect(await changed({ [name]: one })).toEqual({ verdict: refused('header-malformed'), serials: [] })
    }
  })

  it.each(NAMES)('are refused when %s holds a space, a control character or other script', async name => {
    const value = String(base.headers[name])
    for (const one of [
      ` ${value}`,
      `${value} `,
      `${value}\n`,
      `${value}\0`,
      `${value}\u00e9`,
      `\u0661${value}`,
    ]) {
      expect(await changed({ [name]: one })).toEqual({ verdict: refused('header-malformed'), serials: [] })
    }
  })

  it.each(['-1', '+1', '1e3', '1.5', '0x10', '1611232922428000', 'NaN', '16112329２2428'])(
    'are refused when the time is %s',
    async time => {
      expect(await changed({ 'binancepay-timestamp': time })).toMatchObject({
        verdict: refused('header-malformed'),
      })
    },
  )

  it('are refused when there are none at all', async () => {
    expect(await ask({ headers: {}, body: base.body })).toEqual({
      verdict: refused('header-missing'),
      serials: [],
    })
  })

  it('may hold a serial of any kind of characters, and pass it on as it came', async () => {
    for (const serial of ['1', 'ab:cd:ef', '../../etc/passwd', 'x'.repeat(128)]) {
      const { verdict, serials } = await ask(messageOf(signedHeaders(BODY, { serial }), BODY))
      expect(verdict).toMatchObject({ verdict: 'verified', keySerial: serial })
      expect(serials).toEqual([serial])
    }
  })

  it('are read by their names in lower case, as Node gives them', () => {
    expect(readSignedHeaders(base)).toMatchObject({ nonce: NONCE, serial: SERIAL })
  })
})

describe('the base64 of a signature', () => {
  const headers = signedHeaders(BODY)
  const of = async (signature: string) => (await ask(messageOf({ ...headers, signature }, BODY))).verdict

  it.each([
    ['without its padding', (text: string) => text.replace(/=+$/, '')],
    ['with more padding', (text: string) => `${text}=`],
    ['in the alphabet of URLs', (text: string) => `-_${text.slice(2)}`],
    ['with other bits behind its end', (text: string) => lastBitsChanged(text)],
    ['with a line feed in it', (text: string) => `${text.slice(0, 76)}\n${text.slice(76)}`],
  ])('is taken in one form only: not %s', async (_, change) => {
    expect(await of(headers.signature)).toMatchObject({ verdict: 'verified' })
    expect(await of(change(headers.signature))).toEqual(refused('header-malformed'))
  })

  it('of the wrong length is a wrong signature', async () => {
    for (const length of [3, 32, 255, 257, 512]) {
      expect(await of(Buffer.alloc(length, 7).toString('base64'))).toEqual(refused('signature-wrong'))
    }
  })
})

/** The same bytes to a lenient reader: the last character before the padding has bits that mean nothing. */
function lastBitsChanged(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const end = text.indexOf('=')
  const same = `${text.slice(0, end - 1)}${alphabet[alphabet.indexOf(text[end - 1]!) ^ 1]}${text.slice(end)}`
  if (!Buffer.from(same, 'base64').equals(Buffer.from(text, 'base64'))) throw new Error('not the same bytes')
  return same
}
