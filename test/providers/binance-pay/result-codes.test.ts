import { describe, expect, it } from 'vitest'
import { explainCode, isAmbiguous } from '../../../src/providers/binance-pay/result-codes.ts'
import {
  DEBIT_CODES,
  OPEN_CODE,
  OTHER_CODES,
  REPORT_CODES,
  REQUEST_CODES,
  SHARED_CODES,
  SIZE_CODES,
} from '../../support/result-codes.ts'

/** Every code that is documented or seen. */
const DOCUMENTED = [
  ...SHARED_CODES,
  ...REQUEST_CODES,
  ...SIZE_CODES,
  ...REPORT_CODES,
  ...OTHER_CODES,
  ...DEBIT_CODES,
]

describe('a documented code', () => {
  it.each(DOCUMENTED)('%s is named %s and proves that nothing was done', (code, name) => {
    expect(explainCode(code, '')).toContain(`${code} ${name}`)
    expect(isAmbiguous(code)).toBe(false)
  })

  it.each([OPEN_CODE, ['100001001', 'SYSTEM_ABNORMALITY'] as const])(
    '%s is named %s and proves nothing',
    (code, name) => {
      expect(explainCode(code, '')).toContain(`${code} ${name}`)
      expect(isAmbiguous(code)).toBe(true)
    },
  )
})

it('tells what to do about a wrong key, secret, address or clock', () => {
  expect(explainCode('400002', 'No.')).toBe(
    'Binance Pay answered 400002 INVALID_SIGNATURE: No (check the API secret; the masked form that the portal shows later cannot sign)',
  )
  expect(explainCode('400003', '')).toContain('clock')
  expect(explainCode('400004', '')).toContain('allowed addresses')
  expect(explainCode('400203', '')).toContain('enable balance reports')
})
