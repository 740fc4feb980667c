import { describe, expect, it } from 'vitest'
import { writeJson } from '../../../src/domain/json.ts'
import {
  balanceReportQueryBody,
  readBalanceReportQueryAnswer,
} from '../../../src/providers/binance-pay/balance-report-query.ts'
import { readEnvelope } from '../../../src/providers/binance-pay/envelope.ts'

const read = (body: string, status = 200) =>
  readBalanceReportQueryAnswer(readEnvelope({ status, date: undefined, body: Buffer.from(body) }))

const LINK = 'https://files.example.com/report.csv?signature=x'

it('asks with the id as text, so that no digit is lost', () => {
  expect(writeJson(balanceReportQueryBody('29383937493038367292'))).toBe(
    '{"downloadId":"29383937493038367292"}',
  )
})

describe.each([
  ['bare', (answer: string) => answer],
  ['wrapped', (answer: string) => `{"status":"SUCCESS","code":"000000","data":${answer}}`],
])('an answer that is %s', (_, shaped) => {
  const status = (answer: string) => read(shaped(answer))

  it('is the documented sample: still being made', () => {
    expect(status('{"exist":true,"downloadUrl":"","status":"PROCESSING"}')).toMatchObject({
      status: 'processing',
    })
  })

  it('is ready only with a link', () => {
    expect(status(`{"exist":true,"downloadUrl":"${LINK}","status":"SUCCESS"}`)).toEqual({
      status: 'ready',
      link: LINK,
    })
  })

  it.each(['""', 'null', '{}'])('is not ready when it says SUCCESS and the link is %s', link => {
    expect(status(`{"exist":true,"downloadUrl":${link},"status":"SUCCESS"}`)).toMatchObject({
      status: 'processing',
    })
  })

  it('is not ready when it has a link and does not say SUCCESS', () => {
    expect(status(`{"exist":true,"downloadUrl":"${LINK}","status":"PROCESSING"}`)).toMatchObject({
      status: 'processing',
    })
  })

  it.each([
    ['FAILED', 'failed'],
    ['EXPIRED', 'expired'],
  ])('says %s', (word, expected) => {
    expect(status(`{"exist":true,"downloadUrl":"","status":"${word}"}`)).toMatchObject({ status: expected })
  })

  it.each([
    ['null', '{"exist":true,"downloadUrl":"","status":null}'],
    ['missing', '{"exist":true}'],
    ['a word nobody knows', '{"exist":true,"status":"QUEUED"}'],
  ])('is still being made when the status is %s', (_name, answer) => {
    expect(status(answer)).toMatchObject({ status: 'processing' })
  })

  it.each([
    ['a null status', '{"exist":false,"downloadUrl":"","status":null}'],
    ['no status', '{"exist":false}'],
    ['a status that contradicts it', `{"exist":false,"downloadUrl":"${LINK}","status":"SUCCESS"}`],
  ])('does not exist, with %s', (_name, answer) => {
    expect(status(answer)).toMatchObject({ status: 'absent' })
  })

  it('is kept word for word where it gives no file, and never with a link', () => {
    const said = '{"exist":true,"downloadUrl":"","status":"FAILED","more":197430692664688641.0}'
    expect(status(said)).toMatchObject({ answer: said })
    const linked = JSON.stringify(status(`{"exist":true,"downloadUrl":"${LINK}","status":"EXPIRED"}`))
    expect(linked).not.toContain('signature=x')
  })

  it('may have fields that nobody asked for', () => {
    expect(
      status(`{"exist":true,"downloadUrl":"${LINK}","status":"SUCCESS","more":{"a":[1]}}`),
    ).toMatchObject({ status: 'ready' })
  })
})

describe('the word SUCCESS has two meanings', () => {
  it('a bare SUCCESS without a link is not the success of an envelope', () => {
    expect(read('{"exist":true,"downloadUrl":"","status":"SUCCESS"}')).toMatchObject({ status: 'processing' })
  })

  it('the success of an envelope does not make a report ready', () => {
    expect(
      read(
        `{"status":"SUCCESS","code":"000000","data":{"exist":true,"downloadUrl":"${LINK}","status":"PROCESSING"}}`,
      ),
    ).toMatchObject({ status: 'processing' })
  })

  it('the success of an envelope says nothing of a report that it does not name', () => {
    for (const data of ['null', '{}', '"SUCCESS"', '[]', 'true']) {
      const answer = `{"status":"SUCCESS","code":"000000","data":${data},"downloadUrl":"${LINK}"}`
      expect(() => read(answer)).toThrow(expect.objectContaining({ code: 'provider-protocol' }))
    }
  })
})

describe('a failure', () => {
  it('that is final is thrown as refused, with the code of the provider', () => {
    expect(() => read('{"status":"FAIL","code":"400202","errorMessage":"Order not found."}')).toThrow(
      expect.objectContaining({
        code: 'provider-refused',
        retry: false,
        details: { providerCode: '400202' },
        message: 'Binance Pay answered 400202 ORDER_NOT_FOUND: Order not found.',
      }),
    )
  })

  it.each([
    ['an unknown error', '{"status":"FAIL","code":"400000"}', 200],
    [
      'the gateway',
      '{"status":"ERROR","type":"SYS","code":"100001001","errorData":"System abnormality"}',
      200,
    ],
    ['a broken server', '<html></html>', 503],
    ['an empty body', '', 200],
  ])('that may pass is thrown as unreachable: %s', (_, body, status) => {
    expect(() => read(body, status)).toThrow(
      expect.objectContaining({ code: 'provider-unreachable', retry: true }),
    )
  })

  it('is JSON that has nothing to do with a report', () => {
    expect(() => read('{"status":"SUCCESS"}')).toThrow(expect.objectContaining({ code: 'provider-protocol' }))
  })
})
