import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSafeSegment } from '../../../src/domain/keys.ts'
import { readCallback } from '../../../src/providers/binance-pay/callback.ts'

const ID = '197620356272996353'
const LINK = 'https://files.example.com/file1?signature=x'

const read = (body: string | Uint8Array) => readCallback(Buffer.from(body))

/** The inner object as JSON text; a value is JSON text itself, `undefined` leaves a field out. */
function inner(changed: Record<string, string | undefined> = {}): string {
  return objectText({
    downloadType: '"merchant_balance_download_task"',
    downloadId: ID,
    userId: '100102465376',
    status: '2',
    downloadLink: `"${LINK}"`,
    expirationTimestamp: '1669947455000',
    createTime: '"2022-12-01 02:15:50"',
    callbackUrl: '"https://callbackurl.com"',
    ...changed,
  })
}

function outer(changed: Record<string, string | undefined> = {}, data = JSON.stringify(inner())): string {
  return objectText({
    bizType: '"BALANCE"',
    data,
    bizIdStr: `"${ID}"`,
    bizId: ID,
    bizStatus: '"BALANCE_SUCCESS"',
    ...changed,
  })
}

function objectText(fields: Record<string, string | undefined>): string {
  const written = Object.entries(fields).filter(([, value]) => value !== undefined)
  return `{${written.map(([name, value]) => `"${name}":${value}`).join(',')}}`
}

const balance = (changed: Record<string, string | undefined>) =>
  read(outer({}, JSON.stringify(inner(changed))))

const READY = {
  kind: 'report',
  reportId: ID,
  link: LINK,
  linkExpiresAt: new Date('2022-12-02T02:17:35.000Z'),
}

describe('a balance callback', () => {
  it('is the documented sample', () => {
    const body = String.raw`{"bizType":"BALANCE","data":"{\"downloadType\":\"merchant_balance_download_task\",\"downloadId\":197620356272996352,\"userId\":100102465376,\"status\":2,\"downloadLink\":\"https://sampleurl.com/file1\",\"expirationTimestamp\":1669947455000,\"createTime\":\"2022-12-01 02:15:50\",\"callbackUrl\":\"https://callbackurl.com\"}","bizIdStr":"197620356272996352","bizId":197620356272996352,"bizStatus":"BALANCE_SUCCESS"}`
    expect(read(body)).toEqual({
      kind: 'report',
      reportId: '197620356272996352',
      link: 'https://sampleurl.com/file1',
      linkExpiresAt: new Date('2022-12-02T02:17:35.000Z'),
    })
  })

  it('may carry its data as text or as an object', () => {
    expect(read(outer())).toEqual(READY)
    expect(read(outer({}, inner()))).toEqual(READY)
  })

  it.each(['2', '"2"', '"SUCCESS"'])('is a success when its status is %s', status => {
    expect(balance({ status })).toEqual(READY)
  })

  it.each(['3', '"3"', '"FAILED"', '"success"', '1', '20', 'null', 'true', '"2 "', undefined])(
    'is no report when its status is %s, and is kept all the same',
    status => {
      expect(balance({ status })).toEqual({
        kind: 'other',
        type: 'BALANCE',
        id: `BALANCE-${ID}-BALANCE_SUCCESS`,
      })
    },
  )

  it.each(['"BALANCE_FAIL"', '"PROCESSING"', 'null', undefined])(
    'is no report when its outer status is %s',
    bizStatus => {
      expect(read(outer({ bizStatus }))).toMatchObject({ kind: 'other', type: 'BALANCE' })
    },
  )

  it('is no report when the two ids differ, though a double could not tell', () => {
    expect(Number('197620356272996354')).toBe(Number(ID))
    expect(balance({ downloadId: '197620356272996354' })).toMatchObject({ kind: 'other' })
    expect(read(outer({ bizIdStr: '"197620356272996354"' }))).toMatchObject({ kind: 'other' })
  })

  it('may lack its id as text: the number keeps its digits', () => {
    expect(read(outer({ bizIdStr: undefined }))).toEqual(READY)
    expect(read(outer({ bizIdStr: 'null' }))).toEqual(READY)
    expect(read(outer({ bizIdStr: '""' }))).toEqual(READY)
  })

  it('may have its number rounded by its sender: the text counts', () => {
    expect(read(outer({ bizId: '197620356272996350' }))).toEqual(READY)
  })

  it('may have an id of 20 digits, above what 64 bits hold', () => {
    const id = '29383937493038367292'
    const data = JSON.stringify(inner({ downloadId: id }))
    expect(read(outer({ bizIdStr: `"${id}"`, bizId: id }, data))).toMatchObject({
      kind: 'report',
      reportId: id,
    })
    expect(read(outer({ bizIdStr: undefined, bizId: id }, data))).toMatchObject({
      kind: 'report',
      reportId: id,
    })
  })

  it.each(['"293839374930383672921"', '"12x"', '"../../x"', '"１２"', '"-1"', '"1.5"', '{}'])(
    'is no report when its id is %s',
    bizIdStr => {
      const content = read(outer({ bizIdStr, bizId: undefined }))
      expect(content.kind).toBe('other')
      expect(content.kind === 'other' && isSafeSegment(content.id)).toBe(true)
    },
  )

  it.each(['1.9762035627299635e17', '-1', '1.5'])('is no report when its only id is the number %s', bizId => {
    expect(
      read(outer({ bizIdStr: undefined, bizId }, JSON.stringify(inner({ downloadId: bizId })))),
    ).toMatchObject({ kind: 'other' })
  })

  it('is a report without a link when it carries none', () => {
    const without = { kind: 'report', reportId: ID, linkExpiresAt: READY.linkExpiresAt }
    for (const downloadLink of ['""', 'null', '{}', undefined])
      expect(balance({ downloadLink })).toEqual(without)
  })

  it('is a report without an end of its link when it carries none that can be', () => {
    const without = { kind: 'report', reportId: ID, link: LINK }
    for (const expirationTimestamp of [
      'null',
      '"soon"',
      '99999999999999999999',
      '9007199254740991',
      undefined,
    ])
      expect(balance({ expirationTimestamp })).toEqual(without)
    expect(balance({ expirationTimestamp: '"1669947455000"' })).toEqual(READY)
  })

  it.each(['"not JSON"', '""', 'null', '[]', '"[1]"', '17', undefined])(
    'is a report to be asked about when its data is %s',
    data => {
      expect(read(outer({ data }))).toEqual({ kind: 'report', reportId: ID })
    },
  )

  it('may have more fields than documented, in any order', () => {
    const data = JSON.stringify(inner({ more: '{"deep":[1,2,{"a":null}]}', userId: undefined }))
    expect(read(outer({ extra: '"x"', data: undefined, zzz: '1', aaa: data }, data))).toMatchObject({
      kind: 'report',
    })
    expect(read(`\n ${outer({ extra: '[1]' }, data)} \n`)).toEqual(READY)
  })

  it('names itself once: of two fields of one name the last counts, as in any parser', () => {
    const twice = outer().replace('{"bizType":"BALANCE"', '{"bizType":"PAY","bizType":"BALANCE"')
    expect(read(twice)).toEqual(READY)
  })
})

describe('a callback of another type', () => {
  it.each([
    'PAY',
    'PAY_REFUND',
    'PAYOUT',
    'PAYOUT_NON_BN',
    'DIRECT_DEBIT_CT',
    'TECH_PROVIDER',
    'SHARE_ACCOUNT_ID',
    'MERCHANT_QR_CODE',
    'BRAND_NEW',
  ])('is kept under its type, id and status: %s', type => {
    const body = `{"bizType":"${type}","data":{"a":1},"bizIdStr":"29383937493038367292","bizId":29383937493038367292,"bizStatus":"DONE"}`
    expect(read(body)).toEqual({ kind: 'other', type, id: `${type}-29383937493038367292-DONE` })
  })

  it('is told from another of the same business by its status', () => {
    const at = (status: string) => read(`{"bizType":"PAY","bizId":1,"bizStatus":"${status}"}`)
    expect(at('PAY_SUCCESS')).not.toEqual(at('PAY_CLOSED'))
  })

  it('is told from every other, however odd the characters of its id', () => {
    const ids = ['a/b', 'a_b', 'a b', 'ä', 'ö', '.a', '_a', `${'x'.repeat(130)}1`, `${'x'.repeat(130)}2`]
    const names = ids.map(id => {
      const content = read(JSON.stringify({ bizType: 'PAY', bizIdStr: id, bizStatus: 'S' }))
      return content.kind === 'other' ? content.id : ''
    })
    expect(new Set(names).size).toBe(ids.length)
    expect(names.every(isSafeSegment)).toBe(true)
  })

  it('is the same one each time it is sent', () => {
    const body = JSON.stringify({ bizType: 'PAY/1', bizIdStr: 'a/b', bizStatus: 'S' })
    expect(read(body)).toEqual(read(body))
  })

  it('without an id is named by its bytes', () => {
    const [one, other] = ['{"bizType":"PAY"}', '{"bizType":"PAY" }'].map(read)
    expect(one).toMatchObject({
      kind: 'other',
      type: 'PAY',
      id: expect.stringMatching(/^PAY-[0-9a-f]{32}-no-status$/),
    })
    expect(one).not.toEqual(other)
    expect(read('{"bizType":"PAY","bizIdStr":""}')).not.toEqual(read('{"bizType":"PAY","bizIdStr":"","x":1}'))
  })
})

describe('a body that nobody expected', () => {
  it.each([
    ['empty', ''],
    ['no JSON', 'bizType=BALANCE'],
    ['HTML', '<html></html>'],
    ['JSON that was cut off', outer().slice(0, -1)],
    ['a list', `[${outer()}]`],
    ['null', 'null'],
    ['a text', '"BALANCE"'],
    ['a number', '197620356272996353'],
    ['two objects', '{}{}'],
    ['nested more deeply than can be walked', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['a list nested so', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
  ])('is kept as unreadable: %s', (_, body) => {
    const content = read(body)
    expect(content).toEqual({
      kind: 'other',
      type: 'unreadable',
      id: expect.stringMatching(/^unreadable-[0-9a-f]{32}$/),
    })
  })

  it('may be nested deeply inside its data: then only the data is not understood', () => {
    const data = JSON.stringify('['.repeat(100_000))
    expect(read(outer({}, data))).toEqual({ kind: 'report', reportId: ID })
  })

  it('finds nothing in the prototype of an object', () => {
    const polluted = `{"__proto__":${outer()},"constructor":{"prototype":${outer()}}}`
    expect(read(polluted)).toMatchObject({ kind: 'other', type: 'untyped' })
    expect(
      read(`{"bizType":"BALANCE","__proto__":{"bizStatus":"BALANCE_SUCCESS","bizIdStr":"1"}}`),
    ).toMatchObject({ kind: 'other' })
    expect(balance({ status: undefined, __proto__: '{"status":2}' })).toMatchObject({ kind: 'other' })
    expect(({} as Record<string, unknown>).bizType).toBeUndefined()
  })

  it.each(['toString', '__proto__', 'constructor', 'hasOwnProperty'])('may be of the type %s', type => {
    expect(read(`{"bizType":"${type}","bizIdStr":"7","bizStatus":"S"}`)).toEqual({
      kind: 'other',
      type,
      id: `${type}-7-S`,
    })
  })

  it('is always read without a fault, and named so that it can stand in a key', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' }), hostile()), body => {
        const content = read(body)
        if (content.kind === 'report') expect(content.reportId).toMatch(/^\d{1,20}$/)
        else expect(isSafeSegment(content.id)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

/** Objects with the right names and any values. */
function hostile(): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary', maxLength: 200 }).map(text => JSON.stringify(text)),
    fc.constantFrom('"BALANCE"', '"BALANCE_SUCCESS"', `"${ID}"`, JSON.stringify(inner()), inner(), '2'),
  )
  return fc
    .record(
      { bizType: value, data: value, bizIdStr: value, bizId: value, bizStatus: value },
      { requiredKeys: [] },
    )
    .map(fields => objectText(fields as Record<string, string>))
}
