import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { requestHeaders, signRequest } from '../../../src/providers/binance-pay/signature.ts'

const TIMESTAMP = 1611232922428
const NONCE = '5RhaTrZPhknNv0kDSA2UQ67cPMVNS4sA'
const SECRET = 'uahr4nhailyq55yubuhuncnprfac73bcbz2qfafsevic1jruwunioxtoaozy122f'
const DOCUMENTED =
  '{"merchantId":"98765987","subMerchantId":"98765987","merchantTradeNo":"9825382937292","totalFee":25.17,"productDetail":"Greentea ice cream cone","currency":"BUSD","returnUrl":"","tradeType":"APP","productType":"Food","productName":"Ice Cream"}'
const DOCUMENTED_SIGNATURE =
  '253B9241C7331C0F02A0F5417BDDD4CD88124D3E188C0BA0E3EF121D36844B7F4D1A69AD8A1C3C7FF34901115E35A2530B672CF7430902E9862D69867689FD9F'

const hmac = (payload: string) => createHmac('sha512', SECRET).update(payload).digest('hex').toUpperCase()
const signed = (body: string) => signRequest(SECRET, TIMESTAMP, NONCE, Buffer.from(body))

describe('a request signature', () => {
  it('is checked with the very body of the documentation', () => {
    expect(Buffer.byteLength(DOCUMENTED)).toBe(243)
    expect(createHash('sha256').update(DOCUMENTED).digest('hex')).toBe(
      '50e48f9c4f1ed454af645e890ef0d010a11dbc8d46a8ac82e2cc500a81f7f605',
    )
  })

  it.each([
    ['the documented body', DOCUMENTED, DOCUMENTED_SIGNATURE],
    [
      'the body as the page prints it now',
      DOCUMENTED.replace('BUSD', 'USDT'),
      'C1F7A336D5E6A100DD31F41669895D99C24A3A4D4F96DB6389761CB2CDD37FA2F6D106A24DB048B4989005E85EADEA392CD866902736D3D276BDC44C49DD00FC',
    ],
    [
      'an empty object',
      '{}',
      '07D14BAB415AF0298F16251275CA4F497FE9172955EA6A71F2B0B3D2FA6BFEE10863BFCF0C1C45B28FF1EE87DB44859F0E208903AAEA45CCABAF96A6A96FC198',
    ],
    [
      'an empty list',
      '[]',
      '38C83D3A27B4E1CF77D972D62770E280CAA414EDE20BA5BD33F7EEA133DFE43BF03267C33B84A294440CE902A0F6D70E1B23B857607461100846928C13882BEC',
    ],
  ])('of %s is the one printed', (_, body, expected) => {
    expect(signed(body)).toBe(expected)
  })

  it('covers the last line feed, and has no space before any', () => {
    expect(hmac(`${TIMESTAMP}\n${NONCE}\n${DOCUMENTED}\n`)).toBe(DOCUMENTED_SIGNATURE)
    expect(hmac(`${TIMESTAMP}\n${NONCE}\n${DOCUMENTED}`)).not.toBe(DOCUMENTED_SIGNATURE)
    expect(hmac(`${TIMESTAMP} \n${NONCE} \n${DOCUMENTED} \n`)).not.toBe(DOCUMENTED_SIGNATURE)
  })

  it('signs bytes, not text: what is no UTF-8 is signed as it is', () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0x00, 0x80)
    const payload = Buffer.concat([Buffer.from(`${TIMESTAMP}\n${NONCE}\n`), bytes, Buffer.from('\n')])
    const expected = createHmac('sha512', SECRET).update(payload).digest('hex').toUpperCase()
    expect(signRequest(SECRET, TIMESTAMP, NONCE, bytes)).toBe(expected)
  })

  it('is 128 upper-case hex digits', () => {
    expect(signed('anything')).toMatch(/^[0-9A-F]{128}$/)
  })
})

it('sends the documented headers, milliseconds and the API key as certificate number', () => {
  expect(requestHeaders('the-api-key', SECRET, TIMESTAMP, NONCE, Buffer.from(DOCUMENTED))).toEqual({
    'content-type': 'application/json',
    'BinancePay-Timestamp': '1611232922428',
    'BinancePay-Nonce': NONCE,
    'BinancePay-Certificate-SN': 'the-api-key',
    'BinancePay-Signature': DOCUMENTED_SIGNATURE,
  })
})
