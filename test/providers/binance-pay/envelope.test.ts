import { describe, expect, it } from 'vitest'
import { JsonNumber } from '../../../src/domain/json.ts'
import { type Envelope, readEnvelope } from '../../../src/providers/binance-pay/envelope.ts'
import { forbiddenPage } from '../../../src/sandbox/answers.ts'

function envelopeOf(body: string | Uint8Array, status = 200): Envelope {
  return readEnvelope({ status, date: undefined, body: Buffer.from(body) })
}

const failure = (body: string, status?: number) => {
  const envelope = envelopeOf(body, status)
  if (envelope.result !== 'failure') throw new Error(`a ${envelope.result}`)
  return envelope
}

describe('a success', () => {
  it('carries its data, with every number as it was written', () => {
    const envelope = envelopeOf(
      '{"status":"SUCCESS","code":"000000","data":{"id":29383937493038367292,"sum":0.88000000}}',
    )
    expect(envelope).toMatchObject({
      result: 'success',
      data: { id: new JsonNumber('29383937493038367292'), sum: new JsonNumber('0.88000000') },
    })
  })

  it.each([
    ['none', '{"status":"SUCCESS","code":"000000"}'],
    ['null', '{"status":"SUCCESS","code":"000000","data":null}'],
  ])('may have %s', (_, body) => {
    expect(envelopeOf(body)).toMatchObject({ result: 'success', data: null })
  })

  it.each([200, 201, 400, 403, 500])('counts whatever the HTTP status: %i', status => {
    expect(envelopeOf('{"status":"SUCCESS","code":"000000","data":"x"}', status).result).toBe('success')
  })
})

describe('a failure', () => {
  it('is read in the documented envelope', () => {
    const refused = failure(
      '{"status":"FAIL","code":"400003","errorMessage":"Timestamp for this request is outside of the recvWindow."}',
    )
    expect(refused).toMatchObject({ code: '400003', ambiguous: false })
    expect(refused.says).toContain('outside of the recvWindow')
    expect(refused.says).toContain('INVALID_TIMESTAMP')
  })

  it('is read in the old shape, without status and with msg', () => {
    const refused = failure('{"code":"400002","msg":"Signature for this request is not valid."}')
    expect(refused).toMatchObject({ code: '400002', ambiguous: false })
    expect(refused.says).toContain('Signature for this request is not valid')
  })

  it('is read in the shape of the gateway, and is ambiguous', () => {
    const refused = failure(
      '{"status":"ERROR","type":"SYS","code":"100001001","errorData":"System abnormality"}',
    )
    expect(refused).toMatchObject({ code: '100001001', ambiguous: true })
    expect(refused.says).toContain('System abnormality')
  })

  it('is the page of the firewall: HTTP 403 is a refusal that says what may be wrong', () => {
    const { status, body } = forbiddenPage()
    const refused = failure(body, status)
    expect(refused).toMatchObject({ code: 'HTTP-403', ambiguous: false })
    expect(refused.says).toContain('HTML page')
    expect(refused.says).toContain('firewall')
    expect(refused.says).not.toContain('<')
  })

  it('may have a number as code', () => {
    expect(failure('{"status":"FAIL","code":400102,"errorMessage":"no"}')).toMatchObject({
      code: '400102',
      ambiguous: false,
    })
  })

  it('keeps a code that is not listed, and its words, and takes it for final', () => {
    const refused = failure('{"status":"FAIL","code":"499999","errorMessage":"Brand new."}')
    expect(refused).toMatchObject({ code: '499999', ambiguous: false })
    expect(refused.says).toBe('Binance Pay answered 499999: Brand new')
  })

  it.each(['constructor', '__proto__', 'toString'])('does not take the code %s for one it knows', code => {
    const refused = failure(`{"status":"FAIL","code":"${code}","errorMessage":"Odd."}`)
    expect(refused).toMatchObject({ code, ambiguous: false })
    expect(refused.says).toBe(`Binance Pay answered ${code}: Odd`)
  })

  it('cuts words that are too long', () => {
    const { says } = failure(`{"status":"FAIL","code":"400001","errorMessage":"${'x'.repeat(100_000)}"}`)
    expect(says.length).toBeLessThan(500)
  })

  it('has words that are no text: they are left out', () => {
    expect(failure('{"status":"FAIL","code":"400001","errorMessage":{"a":1}}').says).toContain(
      '400001 INVALID_REQUEST',
    )
  })
})

describe('whether a failure may have had an effect', () => {
  it.each([
    ['a listed refusal', '{"status":"FAIL","code":"400102"}', 200, false],
    ['a listed refusal with its own HTTP status', '{"status":"FAIL","code":"400102"}', 406, false],
    ['a listed refusal from a broken server', '{"status":"FAIL","code":"400102"}', 502, true],
    ['the unknown error', '{"status":"FAIL","code":"400000"}', 200, true],
    ['the abnormality', '{"status":"ERROR","code":"100001001"}', 200, true],
    ['success by code, not by status', '{"status":"FAIL","code":"000000"}', 200, true],
    ['success by code, without a status', '{"code":"000000","data":"x"}', 200, true],
    ['success by status, not by code', '{"status":"SUCCESS","code":"400102"}', 200, true],
    ['a page with HTTP 200', '<html></html>', 200, true],
    ['a page with a redirect', '', 302, true],
    ['a page of a broken gateway', '<html></html>', 502, true],
    ['nothing from a slow gateway', '', 504, true],
    ['nothing at all', '', 200, true],
    ['a page that turns away', '<html></html>', 403, false],
    ['a wrong path', 'Not Found', 404, false],
    ['too many requests', '', 429, false],
  ])('%s: %s (HTTP %i): %s', (_, body, status, ambiguous) => {
    expect(failure(body, status).ambiguous).toBe(ambiguous)
  })
})

describe('a body that is no envelope', () => {
  it('says what it is', () => {
    expect(failure('', 500).says).toContain('an empty body')
    expect(failure('  <!DOCTYPE html>', 500).says).toContain('an HTML page')
    expect(failure('{"status":"SUCC', 500).says).toContain('not JSON')
    expect(failure('[1]', 500).says).toContain('HTTP 500')
  })

  it.each(['null', '[]', '"000000"', '12', 'true', '['.repeat(200_000)])(
    'is a failure when it is not an object',
    body => {
      expect(envelopeOf(body).result).toBe('failure')
    },
  )

  it('is a failure when its bytes are no text', () => {
    expect(envelopeOf(Uint8Array.of(0xff, 0x00, 0xfe)).result).toBe('failure')
  })

  it('is bare when it is an object without a code', () => {
    const envelope = envelopeOf('{"exist":true,"downloadUrl":"","status":"SUCCESS"}')
    expect(envelope).toMatchObject({ result: 'bare', body: { status: 'SUCCESS' } })
    expect(envelopeOf('{"status":"SUCCESS","code":null}').result).toBe('bare')
  })
})
