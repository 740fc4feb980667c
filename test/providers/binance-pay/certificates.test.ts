import { describe, expect, it } from 'vitest'
import { writeJson } from '../../../src/domain/json.ts'
import { certificatesBody, readCertificatesAnswer } from '../../../src/providers/binance-pay/certificates.ts'
import { readEnvelope } from '../../../src/providers/binance-pay/envelope.ts'

const read = (body: string, status = 200) =>
  readCertificatesAnswer(readEnvelope({ status, date: undefined, body: Buffer.from(body) }))
const answered = (data: unknown) => read(JSON.stringify({ status: 'SUCCESS', code: '000000', data }))

const ONE = { certSerial: 'AB12', certPublic: '-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----' }
const TWO = { certSerial: 'cd34', certPublic: 'MIIB' }

it('asks with an empty object, because a request without a body fails', () => {
  expect(writeJson(certificatesBody())).toBe('{}')
})

describe('an answer', () => {
  it('is a list of serials and keys, each as it was printed', () => {
    expect(answered([ONE, TWO])).toEqual([
      { serial: ONE.certSerial, publicKey: ONE.certPublic },
      { serial: TWO.certSerial, publicKey: TWO.certPublic },
    ])
  })

  it('may be one object', () => {
    expect(answered(ONE)).toEqual([{ serial: ONE.certSerial, publicKey: ONE.certPublic }])
  })

  it('may come without an envelope', () => {
    expect(read(JSON.stringify(ONE))).toEqual([{ serial: ONE.certSerial, publicKey: ONE.certPublic }])
  })

  it('may have more fields', () => {
    expect(answered([{ ...ONE, validTo: 12 }])).toHaveLength(1)
  })

  it('keeps the digits of a serial that is a number', () => {
    const body =
      '{"status":"SUCCESS","code":"000000","data":[{"certSerial":29383937493038367292,"certPublic":"x"}]}'
    expect(read(body)).toEqual([{ serial: '29383937493038367292', publicKey: 'x' }])
  })

  it('keeps what can be read when the rest cannot', () => {
    expect(
      answered([
        null,
        7,
        'text',
        [],
        {},
        { certSerial: 'A' },
        { certPublic: 'B' },
        { ...TWO, certSerial: null },
        ONE,
      ]),
    ).toEqual([{ serial: ONE.certSerial, publicKey: ONE.certPublic }])
  })

  it.each([
    ['nothing', null],
    ['an empty list', []],
    ['an empty object', {}],
    ['a text', 'AB12'],
    ['entries without keys', [{ certSerial: 'AB12' }]],
  ])('with %s is a fault of the protocol', (_, data) => {
    expect(() => answered(data)).toThrow(expect.objectContaining({ code: 'provider-protocol' }))
  })
})

it('tells a refusal from a failure that may pass', () => {
  expect(() => read('{"status":"FAIL","code":"400004","errorMessage":"No."}')).toThrow(
    expect.objectContaining({ code: 'provider-refused', details: { providerCode: '400004' } }),
  )
  expect(() => read('<html></html>', 502)).toThrow(expect.objectContaining({ code: 'provider-unreachable' }))
})
