import { expect, test } from 'vitest'
import { defaultKnobs, knobTable, parseKnob, readKnobs } from '../../src/sandbox/knobs.ts'

test('every knob has a default and a text', () => {
  const table = knobTable()
  expect(table.map(({ name }) => name)).toEqual(Object.keys(defaultKnobs))
  for (const row of table) {
    expect(row.text, row.name).not.toBe('')
    expect(row.values, row.name).not.toBe('')
    if (row.fallback !== '') expect(parseKnob(`${row.name}=${row.fallback}`)).toHaveProperty(row.name)
  }
})

test('the documented defaults', () => {
  expect(defaultKnobs).toMatchObject({
    clockWindowMs: 1000,
    clockWindowSide: 'both',
    nonceReplay: 'accept',
    failHttpStatus: 'always-200',
    errorShape: '1',
    endDateRule: 'both',
    endDateMeaning: 'exclusive',
    dateZone: 'UTC',
    spanRule: '3-calendar-months',
    quotaPerMonth: 50,
    quotaRefusalCode: '400001',
    processingMs: 105_000,
    outcome: 'SUCCESS',
    queryShape: 'bare',
    freshLinkOnQuery: false,
    linkLifeMs: 86_400_000,
    callbackRetries: 6,
    callbackRetryIdentity: 'fresh',
    certificateBits: '2048',
    fileLayout: 'B-bare',
    fileContainer: 'csv',
  })
})

test.each([
  ['quotaPerMonth=3', { quotaPerMonth: 3 }],
  ['callbackRetryFactor=1.5', { callbackRetryFactor: 1.5 }],
  ['fileBom=true', { fileBom: true }],
  ['errorShape=2', { errorShape: '2' }],
  ['quotaRefusalCode=400203', { quotaRefusalCode: '400203' }],
  ['clockSkewMs = -5000', { clockSkewMs: -5000 }],
  ['callbackUrl=http://127.0.0.1:1/a?b=c', { callbackUrl: 'http://127.0.0.1:1/a?b=c' }],
])('parses %s', (text, knob) => {
  expect(parseKnob(text)).toEqual(knob)
})

test.each([
  ['quotaPerMont=3', /no knob "quotaPerMont". Did you mean quotaPerMonth\?/],
  ['filecontainer=zip', /Did you mean fileContainer\?/],
  ['lost=true', /Did you mean callbackLost\?/],
  ['zzzzzz=1', /See the list/],
  ['fileContainer=rar', /fileContainer takes csv \| gzip \| zip, not rar/],
  ['quotaPerMonth=-1', /quotaPerMonth takes a number/],
  ['fileBom=yes', /true \| false/],
  ['quotaPerMonth', /name=value/],
])('refuses %s', (text, message) => {
  expect(() => parseKnob(text)).toThrow(message)
})

test('refuses what is no object, and undefined values', () => {
  expect(() => readKnobs([])).toThrow(/object/)
  expect(() => readKnobs({ quotaPerMonth: undefined })).toThrow(/quotaPerMonth/)
  expect(() => readKnobs({ constructor: 1 })).toThrow(/no knob/)
})
