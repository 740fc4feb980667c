/** All of a provider that nobody has heard of: a factory, which a folder and a line of the registry would hold. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readAmount } from '../../../src/domain/amount.ts'
import { NO_FIGURES } from '../../../src/domain/balance.ts'
import { DaybookError } from '../../../src/domain/errors.ts'
import { parseJson, tryParseJson, writeJson } from '../../../src/domain/json.ts'
import { balanceAnswer, textOfAnswer } from '../../../src/providers/balance-answer.ts'
import { isObject, requiredAmount, requiredText, textOf } from '../../../src/providers/json-fields.ts'
import type { Activity, Callbacks, Debits, Reports } from '../../../src/providers/provider.ts'
import type { ProviderFactory } from '../../../src/providers/registry.ts'

/** What it says in everything: nobody has proved it. */
const ASSUMPTIONS = ['a tiny provider tells the truth']

type Ask = (path: string, question: Readonly<Record<string, string>>) => Promise<Buffer>

export const tiny: ProviderFactory = ({ settings, secrets, http, clock }) => {
  const ask: Ask = async (path, question) => {
    const url = `${String(settings.url)}${path}`
    const { status, body } = await http({ url, headers: {}, body: Buffer.from(writeJson(question)) })
    if (status >= 500) throw new DaybookError('provider-unreachable', 'Tiny is away.')
    return Buffer.from(body)
  }
  return {
    name: 'tiny',
    probe: async () => ({ serials: [], aheadMs: undefined }),
    balances: {
      basis: 'instant',
      async ask() {
        const sentAt = clock.now()
        const body = await ask('/held', {})
        const answered = { sentAt, answeredAt: clock.now(), body }
        return [balanceAnswer({ operation: 'held', question: {}, assumptions: ASSUMPTIONS, ...answered })]
      },
      read(answer) {
        const text = textOfAnswer(answer)
        const told = text.startsWith('{"coin"') ? parseJson(text) : null
        if (!isObject(told)) throw new DaybookError('provider-protocol', 'Tiny talks nonsense.')
        return [
          {
            ...NO_FIGURES,
            ...{
              wallet: null,
              fundsAccount: null,
              basis: 'instant',
              asOfMicros: null,
              day: null,
              zone: null,
            },
            ...{ valuations: null, status: null, extra: null },
            asset: requiredText(told, 'coin'),
            total: requiredAmount(told, 'held'),
          },
        ]
      },
    },
    activity: activityOf(ask),
    debits: debitsOf(ask, clock.now),
    reports: reportsOf(ask),
    callbacks: callbacksOf(() => secrets().key ?? '', clock.now),
  }
}

function activityOf(ask: Ask): Activity {
  return {
    assets: async () => ['EUR'],
    async movements(asset, from, to) {
      const page = await ask('/moved', { from: from.toISOString(), to: to.toISOString() })
      const told = JSON.parse(page.toString()) as { at: string; by: string }[]
      const rows = told.map(({ at, by }) => ({
        micros: BigInt(Date.parse(at)) * 1000n,
        amount: readAmount(by) as bigint,
        ...{ userId: null, wallet: '', operation: 'MOVE', asset, remark: '', extra: null },
      }))
      return { rows, pages: [page], assumptions: ASSUMPTIONS }
    },
  }
}

function debitsOf(ask: Ask, now: () => Date): Debits {
  async function send(path: string, requestId: string) {
    const answer = await ask(path, { id: requestId })
    return { answer: answer.toString(), orderId: requiredText(objectOf(answer), 'order'), requestId }
  }
  return {
    async contract(contractId) {
      const limit = textOf(objectOf(await ask('/contract', { id: contractId })).limit)
      if (limit === undefined) return undefined
      const singleUpperLimit = readAmount(limit) as bigint
      return { contractId, status: 'SIGNED', isSigned: true, singleUpperLimit, currency: 'EUR' }
    },
    async notify({ requestId }) {
      try {
        return { outcome: 'notified', at: now(), ...(await send('/notice', requestId)) }
      } catch (error) {
        return { outcome: 'unknown', says: String(error), answer: '' }
      }
    },
    async apply({ requestId }, { movesMoney }) {
      if (!movesMoney) throw new DaybookError('usage-invalid', 'This moves money.')
      return { outcome: 'applied', status: 'DONE', ...(await send('/debit', requestId)) }
    },
  }
}

function reportsOf(ask: Ask): Reports {
  return {
    window: { maxDays: 10, newestBeforeTodayDays: 1 },
    refusal: ({ range }, now) =>
      range.end > now.toISOString().slice(0, 10) ? 'The day has not ended.' : undefined,
    async submit({ range }) {
      try {
        const answer = await ask('/report', { start: range.start, end: range.end })
        const reportId = requiredText(objectOf(answer), 'id')
        return { outcome: 'accepted', reportId, answer: answer.toString() }
      } catch (error) {
        return { outcome: 'unknown', says: String(error) }
      }
    },
    async query(reportId) {
      const { known } = objectOf(await ask('/query', { id: reportId }))
      return known === true ? { status: 'processing' } : { status: 'absent' }
    },
    createdAt: () => undefined,
  }
}

export const TINY_HEADER = 'tiny-mac'

export function tinyMac(key: string, body: Uint8Array): string {
  return createHmac('sha256', key).update(body).digest('hex')
}

function callbacksOf(key: () => string, now: () => Date): Callbacks {
  return {
    async verify({ headers, body }) {
      const mac = headers[TINY_HEADER]
      if (typeof mac !== 'string') return { verdict: 'refused', reason: 'header-missing' }
      const expected = Buffer.from(tinyMac(key(), body))
      const isRight = mac.length === expected.length && timingSafeEqual(Buffer.from(mac), expected)
      return isRight
        ? { verdict: 'verified', keySerial: 'tiny', signedAt: now(), fresh: true, headers: {} }
        : { verdict: 'refused', reason: 'signature-wrong' }
    },
    read(body) {
      const told = tryParseJson(Buffer.from(body).toString())
      const reportId = isObject(told) ? textOf(told.report) : undefined
      return reportId === undefined
        ? { kind: 'other', type: 'TINY', id: 'none' }
        : { kind: 'report', reportId }
    },
    replies: { accepted: { status: 200, body: 'thanks' }, refused: { status: 401, body: 'no' } },
  }
}

function objectOf(bytes: Uint8Array) {
  const told = tryParseJson(Buffer.from(bytes).toString())
  if (isObject(told)) return told
  throw new DaybookError('provider-protocol', 'Tiny talks nonsense.')
}
