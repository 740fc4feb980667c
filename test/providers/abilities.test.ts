/** The contracts of movements, debits, reports and callbacks, for every provider that has them, and for one made here. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { PROVIDERS } from '../../src/providers/registry.ts'
import { defaultKnobs } from '../../src/sandbox/knobs.ts'
import { fetchActivity } from '../../src/stages/fetch-activity.ts'
import { type Daybook, type WiredAccount, wire } from '../../src/wiring.ts'
import { describeActivity } from '../contracts/activity.ts'
import { describeDebits } from '../contracts/debits.ts'
import { describeCallbacks, describeReports } from '../contracts/reports.ts'
import { runSql } from '../support/parquet-query.ts'
import { balanceBody, type Signer, startSigner } from '../support/signer.ts'
import { BINANCE, ONERWAY_KEY, startThreeProviders, type ThreeProviders } from '../support/three-providers.ts'
import { TINY_HEADER, tiny, tinyMac } from './tiny/tiny.ts'
import { startTiny, type TinyServer } from './tiny/tiny-server.ts'

const TINY_KEY = 'planted-tiny-key'
const CONTRACT = '205638372306477057'
const REPORT = '197620356272996353'

let three: ThreeProviders
let server: TinyServer
let signer: Signer
let tinyDaybook: Awaited<ReturnType<ThreeProviders['rewire']>>
let tinyAccount: WiredAccount

beforeAll(async () => {
  three = await startThreeProviders()
  server = await startTiny()
  signer = await startSigner(three.clock.now)
  const entry = { name: 'tiny', provider: 'tiny', settings: { url: server.url }, secrets: { key: TINY_KEY } }
  tinyDaybook = await three.rewire({ providers: { ...PROVIDERS, tiny }, entries: [entry] })
  tinyAccount = tinyDaybook.accounts.find(({ ref }) => ref.provider === 'tiny')!
})
afterEach(() => {
  server.away = false
  three.sandbox.setKnobs({ ...defaultKnobs, processingMs: 0, rowsPerDay: 40 })
})
afterAll(async () => {
  await signer.stop()
  await three.stop()
  await server.stop()
})

const log = () => three.log.join('\n')
const secrets = [BINANCE.secretKey, ONERWAY_KEY, TINY_KEY]
const away = () => {
  server.away = true
}

describeActivity('Onerway', () => ({
  activity: three.account('onerway').provider.activity!,
  day: '2026-10-13',
  log,
  secrets,
  silence: () => three.sandbox.setKnobs({ onerwayFault: 'http-500' }),
}))
describeActivity('a tiny provider', () => ({
  activity: tinyAccount.provider.activity!,
  day: '2026-10-13',
  log,
  secrets,
  silence: away,
}))

describeDebits('Binance Pay', () => ({
  debits: three.account('binance-pay').provider.debits!,
  contractId: CONTRACT,
  unknownContractId: '7',
  currency: 'USDT',
  effects: () => three.sandbox.debits().length,
  log,
  secrets,
  silence: () => three.sandbox.setKnobs({ debitFault: 'http-500-after-effect' } as const),
}))
describeDebits('a tiny provider', () => ({
  debits: tinyAccount.provider.debits!,
  contractId: '7',
  unknownContractId: '8',
  currency: 'EUR',
  effects: () => server.effects.length,
  log,
  secrets,
  silence: away,
}))

describeReports('Binance Pay', () => ({
  reports: three.account('binance-pay').provider.reports!,
  now: three.clock.now,
  silence: () => three.sandbox.setKnobs({ submitFault: 'http-500-after-effect' } as const),
}))
describeReports('a tiny provider', () => ({
  reports: tinyAccount.provider.reports!,
  now: three.clock.now,
  silence: away,
}))

const lowerCase = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

describe('with keys of its own', () => {
  let callbacks: NonNullable<WiredAccount['provider']['callbacks']>
  let daybook: Daybook
  afterAll(() => daybook.close())
  beforeAll(async () => {
    const loaded = loadConfig({ ...three.env, BINANCE_PAY_BASE_URL: signer.url })
    daybook = await wire(loaded, { clock: three.clock, writeLog: line => three.log.push(line) })
    callbacks = daybook.accounts[0]!.provider.callbacks!
  })
  describeCallbacks('Binance Pay', () => ({
    callbacks,
    reportId: REPORT,
    message: () => {
      const body = balanceBody(REPORT)
      return { headers: lowerCase(signer.headers(body)), body: Buffer.from(body) }
    },
    secrets,
  }))
})
describeCallbacks('a tiny provider', () => ({
  callbacks: tinyAccount.provider.callbacks!,
  reportId: '42',
  message: () => {
    const body = Buffer.from('{"report":"42"}')
    return { headers: { [TINY_HEADER]: tinyMac(TINY_KEY, body) }, body }
  },
  secrets,
}))

describe('every ability of every provider', () => {
  it('has a contract that is run for it', () => {
    const abilities = ['reports', 'callbacks', 'balances', 'activity', 'debits'] as const
    const held = Object.fromEntries(
      tinyDaybook.accounts.map(({ ref, provider }) => [
        ref.provider,
        abilities.filter(ability => provider[ability] !== undefined),
      ]),
    )
    expect(held).toEqual({
      'binance-pay': ['reports', 'callbacks', 'balances', 'debits'],
      payermax: ['balances'],
      onerway: ['balances', 'activity'],
      tiny: [...abilities],
    })
  })

  it('of one that nobody has heard of fills the same table by the same stage', async () => {
    const outcome = await fetchActivity(tinyDaybook.context, tinyAccount, '2026-10-13')
    expect(outcome).toMatchObject({ outcome: 'published', rows: 24, assets: ['EUR'] })
    const key = 'activity/v1/provider=tiny/account=tiny/date=2026-10-13/activity.parquet'
    const sums = `SELECT count(*)::VARCHAR, sum(amount)::VARCHAR FROM read_parquet('${three.store}/${key}')`
    expect(await runSql(sums)).toEqual([['24', '0.000000000000000024']])
  })
})
