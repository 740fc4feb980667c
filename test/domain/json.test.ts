import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonNumber, parseJson, tryParseJson, writeJson } from '../../src/domain/json.ts'

describe('parseJson', () => {
  it.each([
    '197620356272996352',
    '0.88000000',
    '-0',
    '1E-8',
    '123456789012345678901234567890.12345678901234567890',
  ])('keeps the number %s as it was written', text => {
    expect((parseJson(text) as JsonNumber).text).toBe(text)
    expect(writeJson(parseJson(`{"n":[${text}]}`))).toBe(`{"n":[${text}]}`)
  })

  it('refuses what is not JSON', () => {
    expect(() => parseJson('{')).toThrow(SyntaxError)
    expect(tryParseJson('<html>')).toBeUndefined()
    expect(() => parseJson('['.repeat(200_000))).toThrow(SyntaxError)
  })

  it('gives back what was written', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), text => {
        expect(JSON.parse(writeJson(parseJson(text)))).toEqual(JSON.parse(text))
      }),
    )
  })
})

describe('writeJson', () => {
  it('writes whole numbers of any size as digits', () => {
    expect(writeJson({ amount: 10n ** 30n })).toBe(`{"amount":1${'0'.repeat(30)}}`)
  })

  it('refuses a number that is none', () => {
    expect(() => new JsonNumber('1,5')).toThrow(SyntaxError)
  })
})
