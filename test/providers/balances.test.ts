/** The contract of balances, for every provider there is and for one that nobody has heard of. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readBalances } from '../../src/formats/balance-file.ts'
import { PROVIDERS } from '../../src/providers/registry.ts'
import { defaultKnobs } from '../../src/sandbox/knobs.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { type BalancesFixture, describeBalances } from '../contracts/balances.ts'
import { runSql } from '../support/parquet-query.ts'
import {
  BINANCE,
  MERCHANT_PRIVATE,
  ONERWAY_KEY,
  startThreeProviders,
  type ThreeProviders,
} from '../support/three-providers.ts'
import { tiny } from './tiny/tiny.ts'
import { startTiny, type TinyServer } from './tiny/tiny-server.ts'

let three: ThreeProviders
let tinyServer: TinyServer

beforeAll(async () => {
  three = await startThreeProviders()
  tinyServer = await startTiny()
})
afterEach(() => {
  tinyServer.away = false
  three.sandbox.setKnobs({ ...defaultKnobs, processingMs: 0, rowsPerDay: 40 })
})
afterAll(async () => {
  await three.stop()
  await tinyServer.stop()
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
      entries: [{ name: 'tiny', provider: 'tiny', settings: { url: tinyServer.url }, secrets: {} }],
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
      tinyServer.away = true
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
