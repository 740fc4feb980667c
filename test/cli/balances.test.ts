/** The commands about balances, movements and notices, each in a process of its own against the sandbox. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import { systemClock, systemRandom } from '../../src/host.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { runDaybook } from '../support/run-daybook.ts'
import { objectKeys } from '../support/test-daybook.ts'
import { APP, BINANCE, MERCHANT_PRIVATE, MERCHANT_PUBLIC, ONERWAY_KEY } from '../support/three-providers.ts'

const CONTRACT = '205638372306477057'
const today = () => dayOf(systemClock.now())

let folder: string
let sandbox: Sandbox
let env: Record<string, string>
/** Everything that any command wrote. */
let output = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybook-cli-balances-'))
  sandbox = await startSandbox({
    merchants: [
      {
        name: 'test',
        ...BINANCE,
        payermax: { ...APP, publicKey: MERCHANT_PUBLIC },
        onerway: { apiKey: ONERWAY_KEY },
      },
    ],
    seed: 'test',
    knobs: { rowsPerDay: 20 },
    clock: systemClock,
    random: systemRandom,
  })
  const paths = {
    balance: '/onerway/account/balance',
    overview: '/onerway/account/overview',
    transactions: '/onerway/account/transactions',
  }
  await writeFile(join(folder, 'private'), `${MERCHANT_PRIVATE}\n`)
  await writeFile(join(folder, 'onerway'), `${ONERWAY_KEY}\n`)
  const accounts = [
    { name: 'bp', ...BINANCE },
    {
      name: 'pm',
      provider: 'payermax',
      settings: {
        baseUrl: `${sandbox.url}/aggregate-pay/api/gateway`,
        ...APP,
        publicKey: await sandbox.payermaxPublicKey(),
      },
      secrets: { privateKeyFile: join(folder, 'private') },
    },
    {
      name: 'ow',
      provider: 'onerway',
      settings: { baseUrl: sandbox.url, paths },
      secrets: { apiKeyFile: join(folder, 'onerway') },
    },
  ]
  await writeFile(join(folder, 'accounts.json'), JSON.stringify({ accounts }))
  env = {
    DAYBOOK_STORE: join(folder, 'store'),
    DAYBOOK_ACCOUNTS: join(folder, 'accounts.json'),
    BINANCE_PAY_BASE_URL: sandbox.url,
    DAYBOOK_LOG_LEVEL: 'debug',
  }
})
afterAll(async () => {
  await sandbox.stop()
  await rm(folder, { recursive: true, force: true })
})

async function run(...args: string[]) {
  const ran = await runDaybook([...args, '--verbose'], env)
  output += ran.stdout + ran.stderr
  return ran
}

describe('daybook snapshot', () => {
  it('takes one of every account, and prints where each is', async () => {
    const { code, stdout, stderr } = await run('snapshot')
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 3])
    for (const provider of ['binance-pay/bp', 'payermax/pm', 'onerway/ow']) expect(stderr).toContain(provider)
    expect(stderr).toContain('assumed: amounts are in major units')
    const keys = await objectKeys(join(folder, 'store'))
    expect(keys.filter(key => key.startsWith('balances/v1/'))).toHaveLength(3)
  })

  it('takes one of an account or of a provider', async () => {
    for (const args of [
      ['--account', 'ow'],
      ['--provider', 'onerway'],
    ]) {
      const { code, stdout } = await run('snapshot', ...args, '--json')
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        command: 'snapshot',
        snapshots: [{ account: 'ow', provider: 'onerway', outcome: 'taken', rows: 3 }],
      })
    }
  })

  it('fills in days, and asks for none twice', async () => {
    const range = ['--from', addDays(today(), -6), '--to', addDays(today(), -4)]
    const first = JSON.parse((await run('snapshot', ...range, '--json')).stdout)
    expect(first.snapshots.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'taken',
      'taken',
      'taken',
    ])
    const second = JSON.parse((await run('snapshot', ...range, '--json')).stdout)
    expect(second.snapshots.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      Array(3).fill('already-taken'),
    )
  })

  it('answers 2 for days that cannot be told and for accounts that are not there', async () => {
    for (const args of [
      ['--day', today()],
      ['--day', addDays(today(), -91)],
      ['--account', 'bp', '--day', '2026-01-01'],
      ['--account', 'nobody'],
      ['--from', '2026-01-02', '--to', '2026-01-01'],
      ['--from', '2026-01-02'],
    ]) {
      expect([args.join(' '), (await run('snapshot', ...args)).code]).toEqual([args.join(' '), 2])
    }
  })

  it('takes the others when one account fails, and answers what the failure is', async () => {
    sandbox.setKnobs({ payermaxFault: 'unsigned' })
    const { code, stdout, stderr } = await run('snapshot', '--again')
    sandbox.setKnobs({ payermaxFault: 'none' })
    expect([code, stdout.trim().split('\n').length]).toEqual([1, 2])
    expect(stderr).toContain('signature does not verify')
  })
})

describe('daybook reconcile', () => {
  const day = () => addDays(today(), -6)

  it('says that days add up, and answers 0', async () => {
    const { code, stdout } = await run('reconcile', '--account', 'pm', '--day', day())
    expect(stdout).toMatch(new RegExp(`^payermax/pm ${day()}: matched \\(run 1\\)\n`))
    expect(code).toBe(0)
    const again = await run('reconcile', '--account', 'pm', '--day', day())
    expect(again.stdout).toContain('matched (run 1, as before)')
  })

  it('answers 4 while the next day is not here, and says what is missing', async () => {
    const { code, stdout } = await run(
      'reconcile',
      '--account',
      'pm',
      '--day',
      addDays(today(), -4),
      '--json',
    )
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({ command: 'reconcile', accounts: [{ verdict: 'incomplete' }] })
  })

  it('answers 5 for a break, and shows what a person says of it', async () => {
    sandbox.setKnobs({ breakKind: 'swapped-flow' })
    await run('snapshot', '--account', 'pm', '--day', day(), '--again')
    sandbox.setKnobs({ breakKind: 'none' })
    const broken = await run('reconcile', '--account', 'pm', '--day', day(), '--json')
    expect(broken.code).toBe(5)
    const [account] = JSON.parse(broken.stdout).accounts
    expect(account).toMatchObject({ run: 2, verdict: 'break' })
    const bad = account.findings.find(({ verdict }: { verdict: string }) => verdict === 'break')
    expect(bad).toMatchObject({ check: 'R1', class: 'flows-swapped', tolerance: '0' })
    const explain = ['explain', bad.id, '--account', 'pm', '--day', day(), '--why', 'asked PayerMax']
    expect((await run(...explain)).code).toBe(0)
    const shown = await run('reconcile', '--account', 'pm', '--day', day())
    expect([shown.code, shown.stdout]).toEqual([5, expect.stringContaining('asked PayerMax')])
    expect((await run('explain', 'R9/nothing', '--account', 'pm', '--day', day(), '--why', 'x')).code).toBe(1)
  })

  it('proves nothing without readings, and takes no tolerance without a reason', async () => {
    const { code, stdout } = await run('reconcile', '--account', 'bp', '--day', addDays(today(), -3))
    expect([code, stdout]).toEqual([4, expect.stringContaining('no balances were read before the day')])
    const args = ['reconcile', '--day', day(), '--tolerance', 'USD=1']
    expect((await run(...args)).code).toBe(2)
    expect((await run('reconcile', '--day', day(), '--tolerance', 'USD=-1')).code).toBe(2)
  })
})

describe('daybook fetch-activity', () => {
  it('publishes days of the one account that tells movements', async () => {
    const day = addDays(today(), -2)
    const { code, stdout } = await run('fetch-activity', '--day', day)
    expect([code, stdout]).toEqual([0, `${day}\n`])
    const keys = await objectKeys(join(folder, 'store'))
    expect(keys).toContain(`activity/v1/provider=onerway/account=ow/date=${day}/activity.parquet`)
    expect((await run('fetch-activity', '--day', today())).code).toBe(2)
  })
})

describe('daybook notify-debit', () => {
  it('announces one, and again changes nothing', async () => {
    const args = ['notify-debit', '--contract', CONTRACT, '--amount', '12.50', '--due', addDays(today(), 3)]
    const first = await run(...args)
    expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^\d{18}\n$/)])
    expect(first.stderr).toMatch(/frozen until \d{4}-/)
    const second = await run(...args)
    expect([second.code, second.stdout]).toEqual([0, first.stdout])
    expect(sandbox.debits()).toHaveLength(1)
  })

  it('announces a file of them, and sends nothing of a file with a fault', async () => {
    const path = join(folder, 'debits.csv')
    await writeFile(
      path,
      `contract,amount,due\n${CONTRACT},1,${addDays(today(), 4)}\n${CONTRACT},x,${addDays(today(), 5)}\n`,
    )
    const bad = await run('notify-debit', '--csv', path)
    expect(bad.code).toBe(2)
    expect(bad.stderr).toContain('line 3')
    expect(sandbox.debits()).toHaveLength(1)
    await writeFile(
      path,
      `contract,amount,due,currency\r\n${CONTRACT},1,${addDays(today(), 4)},USDT\r\n${CONTRACT},2.5,${addDays(today(), 5)},\r\n`,
    )
    const good = await run('notify-debit', '--csv', path, '--json')
    expect(good.code).toBe(0)
    expect(JSON.parse(good.stdout).notices).toMatchObject([
      { outcome: 'notified', amount: '1', daysAhead: 4 },
      { outcome: 'notified', amount: '2.5', daysAhead: 5 },
    ])
    expect(sandbox.debits()).toHaveLength(3)
  })

  it('answers 2 for what is not to be announced', async () => {
    const due = addDays(today(), 3)
    for (const args of [
      ['--contract', CONTRACT, '--amount', '51', '--due', addDays(today(), 2)],
      ['--contract', CONTRACT, '--amount', '1', '--due', addDays(today(), 9)],
      ['--contract', '7', '--amount', '1', '--due', due],
      ['--contract', CONTRACT, '--due', due],
      ['--contract', CONTRACT, '--amount', 'much', '--due', due],
    ]) {
      expect([args.join(' '), (await run('notify-debit', ...args)).code]).toEqual([args.join(' '), 2])
    }
    const outside = [
      '--contract',
      CONTRACT,
      '--amount',
      '1',
      '--due',
      addDays(today(), 9),
      '--outside-window',
    ]
    expect((await run('notify-debit', ...outside)).code).toBe(0)
  })
})

describe('daybook doctor', () => {
  it('tries all three', async () => {
    const { code, stdout } = await run('doctor')
    expect(stdout).not.toContain('failed')
    expect(code).toBe(0)
    for (const check of [
      'binance-pay/bp, credentials',
      'binance-pay/bp, keys',
      'payermax/pm, credentials',
      'payermax/pm, keys',
      'payermax/pm, clock',
      'onerway/ow, credentials',
      'onerway/ow, clock',
    ])
      expect(stdout).toContain(`ok      ${check}`)
  })

  it('says what is wrong with each account', async () => {
    const accounts = [
      { name: 'pm', provider: 'payermax', settings: { zones: [] }, secrets: {} },
      { name: 'ow', provider: 'onerway', settings: {}, secrets: {} },
    ]
    const path = join(folder, 'faulty.json')
    await writeFile(path, JSON.stringify({ accounts }))
    const { code, stderr } = await runDaybook(['doctor'], { ...env, DAYBOOK_ACCOUNTS: path })
    expect(code).toBe(2)
    for (const text of [
      'account pm (payermax), settings.',
      'account ow (onerway), settings.baseUrl',
      'account-service-setup',
    ])
      expect(stderr).toContain(text)
  })
})

it.each(['status', 'quota', 'coverage', 'sweep', 'plan'])(
  'daybook %s is about the accounts that make reports',
  async command => {
    const { code, stdout } = await run(command, ...(command === 'plan' ? ['--due'] : []))
    expect(code).toBe(0)
    expect(stdout).not.toMatch(/payermax|onerway/)
  },
)

it('no command has written a secret', () => {
  expect(output.length).toBeGreaterThan(1000)
  for (const secret of [BINANCE.secretKey, BINANCE.apiKey, ONERWAY_KEY, MERCHANT_PRIVATE.slice(40, 120)])
    expect(output).not.toContain(secret)
})
