/** The contract of balances, for every provider there is and for one that nobody has heard of. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { NO_FIGURES } from '../../src/domain/balance.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import { parseJson } from '../../src/domain/json.ts'
import { readBalances } from '../../src/formats/balance-file.ts'
import { balanceAnswer, textOfAnswer } from '../../src/providers/balance-answer.ts'
import { isObject, requiredAmount, requiredText } from '../../src/providers/json-fields.ts'
import { PROVIDERS, type ProviderFactory } from '../../src/providers/registry.ts'
import { defaultKnobs } from '../../src/sandbox/knobs.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { type BalancesFixture, describeBalances } from '../contracts/balances.ts'
import { runSql } from '../support/parquet-query.ts'
import { startServer, type TestServer } from '../support/test-http.ts'
import {
  BINANCE,
  MERCHANT_PRIVATE,
  ONERWAY_KEY,
  startThreeProviders,
  type ThreeProviders,
} from '../support/three-providers.ts'

let three: ThreeProviders
let tinyServer: TestServer
let tinyIsSilent = false

beforeAll(async () => {
  three = await startThreeProviders()
  tinyServer = await startServer((_request, response) => {
    if (tinyIsSilent) return void response.writeHead(503).end()
    response.end('{"coin":"EUR","held":12.340000000000000001}')
  })
})
afterEach(() => {
  tinyIsSilent = false
  three.sandbox.setKnobs({ ...defaultKnobs, processingMs: 0, rowsPerDay: 40 })
})
afterAll(async () => {
  await three.stop()
  await tinyServer.stop()
})

/** All of a provider: a factory, which a folder and a line of the registry would hold. */
const tiny: ProviderFactory = ({ settings, http, clock }) => ({
  name: 'tiny',
  probe: async () => ({ serials: [], aheadMs: undefined }),
  balances: {
    basis: 'instant',
    async ask() {
      const sentAt = clock.now()
      const answer = await http({ url: String(settings.url), headers: {}, body: Buffer.from('{}') })
      if (answer.status >= 500) throw new DaybookError('provider-unreachable', 'Tiny is away.')
      const { body } = answer
      const assumptions = ['a tiny provider tells the truth']
      return [
        balanceAnswer({
          operation: 'held',
          question: {},
          assumptions,
          sentAt,
          answeredAt: clock.now(),
          body,
        }),
      ]
    },
    read(answer) {
      const text = textOfAnswer(answer)
      const told = text.startsWith('{"coin"') ? parseJson(text) : null
      if (!isObject(told)) throw new DaybookError('provider-protocol', 'Tiny talks nonsense.')
      return [
        {
          ...NO_FIGURES,
          ...{ wallet: null, fundsAccount: null, basis: 'instant', asOfMicros: null, day: null, zone: null },
          ...{ valuations: null, status: null, extra: null },
          asset: requiredText(told, 'coin'),
          total: requiredAmount(told, 'held'),
        },
      ]
    },
  },
})

function fixtureOf(provider: string, silence: () => void): () => BalancesFixture {
  return () => ({
    balances: three.account(provider).provider.balances!,
    now: three.clock.now,
    log: () => three.log.join('\n'),
    secrets: [BINANCE.secretKey, BINANCE.apiKey, ONERWAY_KEY, MERCHANT_PRIVATE.slice(40, 120)],
    silence,
  })
}

describeBalances(
  'Binance Pay',
  fixtureOf('binance-pay', () => three.sandbox.setKnobs({ balanceHttpFault: 'http-500' })),
)
describeBalances(
  'PayerMax',
  fixtureOf('payermax', () => three.sandbox.setKnobs({ payermaxFault: 'http-500' })),
)
describeBalances(
  'Onerway',
  fixtureOf('onerway', () => three.sandbox.setKnobs({ onerwayFault: 'http-500' })),
)

describe('a fourth provider', () => {
  let account: Awaited<ReturnType<typeof openTiny>>
  const openTiny = async () => {
    const daybook = await three.rewire({
      providers: { ...PROVIDERS, tiny },
      entries: [{ name: 'tiny', provider: 'tiny', settings: { url: `${tinyServer.url}/held` }, secrets: {} }],
    })
    return { daybook, tiny: daybook.accounts.find(({ ref }) => ref.provider === 'tiny')! }
  }
  beforeAll(async () => {
    account = await openTiny()
  })

  describeBalances('a tiny provider', () => ({
    balances: account.tiny.provider.balances!,
    now: three.clock.now,
    log: () => three.log.join('\n'),
    secrets: ['planted'],
    silence: () => {
      tinyIsSilent = true
    },
  }))

  it('is read into the table by the same stage, exactly', async () => {
    const outcome = await snapshot(account.daybook.context, account.tiny, { reason: 'test' })
    expect(outcome).toMatchObject({ outcome: 'taken', rows: 1 })
    const key = outcome.outcome === 'taken' ? outcome.key : ''
    expect(key).toMatch(/^balances\/v1\/provider=tiny\/account=tiny\/date=2026-10-15\//)
    const { bytes } = (await account.daybook.context.store.get(key))!
    expect((await readBalances(bytes))[0]).toMatchObject({ total: 12_340_000_000_000_000_001n })
    const told = await runSql(`SELECT total::VARCHAR FROM read_parquet('${three.store}/${key}')`)
    expect(told).toEqual([['12.340000000000000001']])
  })

  it('is named where an account asks for one that is not there', async () => {
    const entries = [{ name: 'x', provider: 'planted', settings: {}, secrets: {} }]
    await expect(three.rewire({ entries })).rejects.toThrow(
      /account x \(planted\), provider: expected one of binance-pay, payermax, onerway/,
    )
  })
})
