import { describe, expect, it } from 'vitest'
import { explainCode, isAmbiguous } from '../../../src/providers/binance-pay/result-codes.ts'

/** Section 5 of the facts: every code that is documented or seen, and what may be done about it. */
const DOCUMENTED = [
  ['400001', 'INVALID_REQUEST'],
  ['400002', 'INVALID_SIGNATURE'],
  ['400003', 'INVALID_TIMESTAMP'],
  ['400004', 'INVALID_API_KEY_OR_IP'],
  ['400005', 'BAD_API_KEY_FMT'],
  ['400006', 'BAD_HTTP_METHOD'],
  ['400007', 'MEDIA_TYPE_NOT_SUPPORTED'],
  ['400008', 'INVALID_REQUEST_BODY'],
  ['400100', 'MANDATORY_PARAM_EMPTY_OR_MALFORMED'],
  ['400101', 'INVALID_PARAM_WRONG_LENGTH'],
  ['400102', 'INVALID_PARAM_WRONG_VALUE'],
  ['400103', 'INVALID_PARAM_ILLEGAL_CHAR'],
  ['400104', 'INVALID_REQUEST_TOO_LARGE'],
  ['400201', 'INVALID_MERCHANT_TRADE_NO'],
  ['400202', 'ORDER_NOT_FOUND'],
  ['400203', 'INVALID_ACCOUNT_STATUS'],
  ['400206', 'SUB_MERCHANT_INVALID'],
  ['400601', 'ACCOUNT_NOT_FOUND'],
  ['400606', 'MERCHANT_ACCESS_FORBIDDEN'],
  ['406107', 'MERCHANT_TRANSFER_MERCHANT_TYPE_INVALID'],
  ['406108', 'MERCHANT_TRANSFER_MERCHANT_TOO_FREQUENT'],
  ['406207', 'CONTRACT_NOT_FOUND'],
  ['406212', 'CONTRACT_NOT_SIGNED'],
] as const

describe('a documented code', () => {
  it.each(DOCUMENTED)('%s is named %s and proves that nothing was done', (code, name) => {
    expect(explainCode(code, '')).toContain(`${code} ${name}`)
    expect(isAmbiguous(code)).toBe(false)
  })

  it.each([
    ['400000', 'UNKNOWN_ERROR'],
    ['100001001', 'SYSTEM_ABNORMALITY'],
  ])('%s is named %s and proves nothing', (code, name) => {
    expect(explainCode(code, '')).toContain(`${code} ${name}`)
    expect(isAmbiguous(code)).toBe(true)
  })
})

it('tells what to do about a wrong key, secret, address or clock', () => {
  expect(explainCode('400002', 'No.')).toBe(
    'Binance Pay answered 400002 INVALID_SIGNATURE: No (check the API secret; the masked form that the portal shows later cannot sign)',
  )
  expect(explainCode('400003', '')).toContain('clock')
  expect(explainCode('400004', '')).toContain('allowed addresses')
  expect(explainCode('400203', '')).toContain('enable balance reports')
})
