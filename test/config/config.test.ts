import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { loadColumns } from '../../src/config/columns.ts'
import { type Config, type LoadedConfig, loadConfig } from '../../src/config/config.ts'
import { type Env, readEnv, VARIABLES } from '../../src/config/env.ts'
import { DaybookError } from '../../src/domain/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'daybook-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function file(content: string): string {
  const path = join(folder, `${++files}`)
  writeFileSync(path, content)
  return path
}

const accountsFile = (...accounts: unknown[]) => file(JSON.stringify({ accounts }))
const load = (env: Env): Config => loadConfig(env).config

/** The faults, a line each, without the title. */
function faultsOf(env: Env): string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (!(error instanceof DaybookError) || error.code !== 'config-invalid') throw error
    return error.message
      .split('\n')
      .slice(1)
      .map(line => line.trim())
  }
  return []
}

const KEYS = { BINANCE_PAY_API_KEY: 'planted-api-key', BINANCE_PAY_SECRET_KEY: 'planted-secret-key' }

describe('without any variable', () => {
  it('everything has its default', () => {
    expect(loadConfig({})).toEqual({
      config: {
        store: { kind: 'folder', path: resolve('daybook-data') },
        accounts: [
          {
            provider: 'binance-pay',
            account: 'main',
            baseUrl: 'https://bpay.binanceapi.com',
            monthlyLimit: 50,
            planning: { reserve: 5, cadence: 'daily', earliestDay: undefined },
            zoneMinutes: undefined,
          },
        ],
        columns: {},
        download: { hosts: ['*.binance.com', '*.binanceapi.com'], maxBytes: 4_294_967_296 },
        listen: { host: '127.0.0.1', port: 8080 },
        desk: {
          listen: { host: '127.0.0.1', port: 8081 },
          isSaid: false,
          url: undefined,
          sessionMs: 28_800_000,
          importMaxBytes: 67_108_864,
          oidc: undefined,
        },
        proxies: 0,
        callbacks: { maxBytes: 262_144, maxAgeMs: 300_000, refusalsPerMinute: 600 },
        apiTimeoutMs: 30_000,
        sweepEveryMs: 60_000,
        polling: {
          firstMs: 120_000,
          leastMs: 60_000,
          expiredMs: 3_600_000,
          absentMs: 86_400_000,
          abandonMs: 2_592_000_000,
        },
        logLevel: 'info',
      },
      secrets: new Map(),
      deskSecrets: { sessionKey: undefined, oidcSecret: undefined, apiToken: undefined },
    })
  })
})

describe('the desk', () => {
  const deskOf = (env: Env) => loadConfig(env).config.desk

  it('is beside the callbacks, on loopback, unless it is said to be elsewhere or off', () => {
    expect(deskOf({ DAYBOOK_LISTEN: '0.0.0.0:9000' })?.listen).toEqual({ host: '127.0.0.1', port: 9001 })
    expect(deskOf({ DAYBOOK_LISTEN: '127.0.0.1:0' })?.listen).toEqual({ host: '127.0.0.1', port: 0 })
    expect(deskOf({ DAYBOOK_DESK_LISTEN: 'off' })).toBeUndefined()
  })

  it('is never beyond loopback without the address that people reach it under', () => {
    expect(faultsOf({ DAYBOOK_DESK_LISTEN: '0.0.0.0:8081' })).toEqual([
      'DAYBOOK_DESK_URL: needed where DAYBOOK_DESK_LISTEN is not a loopback address',
    ])
    expect(faultsOf({ DAYBOOK_DESK_URL: 'http://desk.example.com' })).toEqual([
      'DAYBOOK_DESK_URL: expected an https address (http only for this machine)',
    ])
    const open = { DAYBOOK_DESK_LISTEN: '0.0.0.0:8081', DAYBOOK_DESK_URL: 'https://desk.example.com' }
    expect(deskOf(open)?.url).toBe('https://desk.example.com')
  })

  it('takes no short keys and no half of a login provider', () => {
    expect(faultsOf({ DAYBOOK_DESK_SESSION_KEY: 'planted', DAYBOOK_API_TOKEN: 'planted' })).toEqual([
      'DAYBOOK_DESK_SESSION_KEY: expected at least 32 characters',
      'DAYBOOK_API_TOKEN: expected at least 32 characters',
    ])
    expect(faultsOf({ DAYBOOK_OIDC_ISSUER: 'https://login.example.com' })).toEqual([
      'DAYBOOK_OIDC_CLIENT_ID: needed with DAYBOOK_OIDC_ISSUER',
    ])
  })
})

describe('a configuration with faults', () => {
  it('says all of them at once, each with its variable and what was expected', () => {
    const env = {
      DAYBOOK_STORE: 'ftp://planted-store',
      DAYBOOK_ACCOUNT: 'Planted Account',
      BINANCE_PAY_API_KEY: 'planted-api-key',
      DAYBOOK_MONTHLY_LIMIT: '10001',
      DAYBOOK_FILE_ZONE: 'planted/zone',
      BINANCE_PAY_BASE_URL: 'http://planted.example.com',
      DAYBOOK_DOWNLOAD_HOSTS: 'https://planted.example.com/',
      DAYBOOK_DOWNLOAD_MAX_BYTES: '0',
      DAYBOOK_LISTEN: 'planted',
      DAYBOOK_CALLBACK_MAX_BYTES: '1023',
      DAYBOOK_CALLBACK_MAX_AGE_SECONDS: '86401',
      DAYBOOK_API_TIMEOUT_SECONDS: '1.5',
      DAYBOOK_SWEEP_SECONDS: '-1',
      DAYBOOK_LOG_LEVEL: 'planted',
    }
    expect(faultsOf(env).sort()).toEqual(
      [
        'DAYBOOK_STORE: expected a folder, s3://bucket or s3://bucket/prefix',
        'DAYBOOK_ACCOUNT: expected lower-case letters, digits and dashes, at most 40',
        'BINANCE_PAY_SECRET_KEY: expected the secret key that belongs to BINANCE_PAY_API_KEY',
        'DAYBOOK_MONTHLY_LIMIT: expected a whole number from 1 to 10000',
        'DAYBOOK_FILE_ZONE: expected an offset such as +08:00',
        'BINANCE_PAY_BASE_URL: expected an https address (http only for this machine)',
        'DAYBOOK_DOWNLOAD_HOSTS: expected host names separated by commas, such as files.example.com,*.example.net',
        'DAYBOOK_DOWNLOAD_MAX_BYTES: expected a whole number from 1 to 1099511627776',
        'DAYBOOK_LISTEN: expected an address and a port, such as 127.0.0.1:8080',
        'DAYBOOK_CALLBACK_MAX_BYTES: expected a whole number from 1024 to 16777216',
        'DAYBOOK_CALLBACK_MAX_AGE_SECONDS: expected a whole number from 1 to 86400',
        'DAYBOOK_API_TIMEOUT_SECONDS: expected a whole number from 1 to 600',
        'DAYBOOK_SWEEP_SECONDS: expected a whole number from 1 to 86400',
        'DAYBOOK_LOG_LEVEL: expected one of debug, info, warn, error, silent',
      ].sort(),
    )
    expect(() => loadConfig(env)).toThrow(/^The configuration has 14 faults:\n {2}/)
    expect(faultsOf(env).join()).not.toMatch(/planted/i)
  })

  it('says one as one', () => {
    expect(() => loadConfig({ DAYBOOK_LOG_LEVEL: 'loud' })).toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        retry: false,
        message:
          'The configuration has a fault:\n  DAYBOOK_LOG_LEVEL: expected one of debug, info, warn, error, silent',
      }),
    )
  })
})

describe('numbers', () => {
  const bounds = [
    ['DAYBOOK_POLL_FIRST_SECONDS', 1, 3600],
    ['DAYBOOK_POLL_SECONDS', 1, 3600],
    ['DAYBOOK_EXPIRED_HOURS', 0, 720],
    ['DAYBOOK_ABSENT_HOURS', 1, 720],
    ['DAYBOOK_ABANDON_DAYS', 1, 365],
    ['DAYBOOK_MONTHLY_LIMIT', 1, 10_000],
    ['DAYBOOK_DOWNLOAD_MAX_BYTES', 1, 2 ** 40],
    ['DAYBOOK_CALLBACK_MAX_BYTES', 1024, 16 * 2 ** 20],
    ['DAYBOOK_CALLBACK_MAX_AGE_SECONDS', 1, 86_400],
    ['DAYBOOK_API_TIMEOUT_SECONDS', 1, 600],
    ['DAYBOOK_SWEEP_SECONDS', 1, 86_400],
  ] as const

  it.each(bounds)('%s goes from %i to %i', (name, least, most) => {
    for (const value of [least, most]) expect(faultsOf({ [name]: String(value) })).toEqual([])
    for (const value of [least - 1, most + 1]) {
      expect(faultsOf({ [name]: String(value) })).toEqual([
        `${name}: expected a whole number from ${least} to ${most}`,
      ])
    }
  })

  it.each([
    '',
    ' ',
    '1 ',
    ' 1',
    '+1',
    '-1',
    '1.0',
    '1e3',
    '0x10',
    '1_000',
    '1,000',
    'NaN',
    'Infinity',
    '٣',
    '9'.repeat(400),
  ])('are whole and plain: not "%s"', text => {
    expect(faultsOf({ DAYBOOK_MONTHLY_LIMIT: text })).toHaveLength(1)
  })

  it('in seconds become milliseconds', () => {
    const config = load({
      DAYBOOK_CALLBACK_MAX_AGE_SECONDS: '2',
      DAYBOOK_API_TIMEOUT_SECONDS: '3',
      DAYBOOK_SWEEP_SECONDS: '4',
    })
    expect([config.callbacks.maxAgeMs, config.apiTimeoutMs, config.sweepEveryMs]).toEqual([2000, 3000, 4000])
  })
})

describe('the store', () => {
  const storeOf = (env: Env) => load(env).store

  it('may be a folder, wherever it is', () => {
    expect(storeOf({ DAYBOOK_STORE: '/srv/book' })).toEqual({ kind: 'folder', path: '/srv/book' })
    expect(storeOf({ DAYBOOK_STORE: 'book/../x' })).toEqual({ kind: 'folder', path: resolve('x') })
  })

  it('is never a folder by a slip of the pen', () => {
    for (const text of [
      's3:/my-bucket',
      's3:my-bucket',
      '~/book',
      '   ',
      ' book',
      'gs://bucket',
      'file:book',
    ]) {
      expect(faultsOf({ DAYBOOK_STORE: text })).toEqual([
        'DAYBOOK_STORE: expected a folder, s3://bucket or s3://bucket/prefix',
      ])
    }
    expect(faultsOf({ DAYBOOK_S3_ENDPOINT: 'http://127.0.0.1:9000' })).toEqual([
      'DAYBOOK_S3_ENDPOINT: leave it out: DAYBOOK_STORE is a folder',
    ])
  })

  it('may be a bucket, with a prefix or without', () => {
    const s3 = { kind: 's3', bucket: 'my-bucket', prefix: '', endpoint: undefined, region: 'us-east-1' }
    expect(storeOf({ DAYBOOK_STORE: 's3://my-bucket' })).toEqual(s3)
    expect(storeOf({ DAYBOOK_STORE: 's3://my-bucket/' })).toEqual(s3)
    expect(storeOf({ DAYBOOK_STORE: 's3://my-bucket/a/b/' })).toEqual({ ...s3, prefix: 'a/b' })
    expect(
      storeOf({
        DAYBOOK_STORE: 's3://my-bucket',
        DAYBOOK_S3_ENDPOINT: 'http://ceph.internal:7480',
        AWS_REGION: 'eu-central-1',
      }),
    ).toEqual({ ...s3, endpoint: 'http://ceph.internal:7480', region: 'eu-central-1' })
  })

  it.each([
    's3://',
    's3:///x',
    's3://b',
    's3://Bucket',
    's3://bu_cket',
    's3://bucket-',
    'S3://bucket',
    's3://bucket//x',
    's3://bucket/a//b',
    's3://bucket/../x',
    's3://bucket/a b',
    's3://bucket/.x',
    'https://bucket.s3.amazonaws.com',
    'gs://bucket',
    'file:///srv/book',
  ])('is not %s', text => {
    expect(faultsOf({ DAYBOOK_STORE: text })).toEqual([
      'DAYBOOK_STORE: expected a folder, s3://bucket or s3://bucket/prefix',
    ])
  })

  it.each([
    'ceph:7480',
    'ftp://ceph',
    'http://',
    'https://planted:secret@ceph',
    'https://ceph?planted=secret',
  ])('has no endpoint %s', endpoint => {
    expect(faultsOf({ DAYBOOK_STORE: 's3://bucket', DAYBOOK_S3_ENDPOINT: endpoint })).toEqual([
      'DAYBOOK_S3_ENDPOINT: expected an http or https address',
    ])
  })
})

describe('the address of the API', () => {
  const urlOf = (text: string) => load({ BINANCE_PAY_BASE_URL: text }).accounts[0]?.baseUrl

  it.each([
    ['https://bpay.example.com', 'https://bpay.example.com'],
    ['https://bpay.example.com/', 'https://bpay.example.com'],
    ['https://proxy.example.com/pay//', 'https://proxy.example.com/pay'],
    [' HTTPS://BPAY.example.com ', 'https://bpay.example.com'],
    ['http://127.0.0.1:4600', 'http://127.0.0.1:4600'],
    ['http://localhost:4600/', 'http://localhost:4600'],
    ['http://[::1]:4600', 'http://[::1]:4600'],
  ])('%s is %s', (text, url) => expect(urlOf(text)).toBe(url))

  it.each([
    'bpay.example.com',
    'http://bpay.example.com',
    'http://10.0.0.1',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'ftp://127.0.0.1',
    'https://',
    'https://planted:secret@bpay.example.com',
    'https://planted@bpay.example.com',
    'https://bpay.example.com?x=planted',
    'https://bpay.example.com#planted',
  ])('is not %s', text => {
    const faults = faultsOf({ BINANCE_PAY_BASE_URL: text })
    expect(faults).toEqual(['BINANCE_PAY_BASE_URL: expected an https address (http only for this machine)'])
  })
})

describe('the hosts of downloads', () => {
  const hostsOf = (text: string) => load({ DAYBOOK_DOWNLOAD_HOSTS: text }).download.hosts

  it('are names, wildcards and addresses, with ports or without', () => {
    expect(
      hostsOf(' files.example.com ,*.example.net,127.0.0.1:4600, localhost:4600,[::1]:4600,a.b:8443,,'),
    ).toEqual([
      'files.example.com',
      '*.example.net',
      '127.0.0.1:4600',
      'localhost:4600',
      '[::1]:4600',
      'a.b:8443',
    ])
  })

  it.each([
    '*',
    '*.',
    'a.*.com',
    '**.example.com',
    'https://files.example.com',
    'files.example.com/x',
    'user@files.example.com',
    'files example.com',
    'files.example.com:',
    'files.example.com:x',
    'bücher.example.com',
    ',',
    'files.example.com,*',
  ])('are not %s', text => {
    expect(faultsOf({ DAYBOOK_DOWNLOAD_HOSTS: text })).toEqual([
      expect.stringMatching(/^DAYBOOK_DOWNLOAD_HOSTS: expected host names/),
    ])
  })
})

describe('where it listens', () => {
  it.each([
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['[::1]:65535', '::1', 65_535],
    ['localhost:1', 'localhost', 1],
  ])('may be %s', (text, host, port) => {
    expect(load({ DAYBOOK_LISTEN: text }).listen).toEqual({ host, port })
  })

  it.each([
    '8080',
    ':8080',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '::1:8080',
    'a b:1',
  ])('may not be %s', text => {
    expect(faultsOf({ DAYBOOK_LISTEN: text })).toEqual([
      'DAYBOOK_LISTEN: expected an address and a port, such as 127.0.0.1:8080',
    ])
  })
})

describe('the zone of files', () => {
  const zoneOf = (text: string) => load({ DAYBOOK_FILE_ZONE: text }).accounts[0]?.zoneMinutes

  it.each([
    ['UTC', 0],
    ['utc', 0],
    ['Z', 0],
    ['+00:00', 0],
    ['-00:00', 0],
    ['+08:00', 480],
    ['-03:30', -210],
    ['+0530', 330],
    ['+7', 420],
    ['UTC+7', 420],
    ['UTC-3', -180],
    ['utc+05:45', 345],
    ['+14:00', 840],
    ['-14:00', -840],
  ])('%s is %i minutes east of UTC', (text, minutes) => {
    expect(zoneOf(text)).toBe(minutes)
  })

  it.each([
    '8',
    '08:00',
    '+14:01',
    '-14:01',
    '+15',
    '+99:00',
    '+8:60',
    '+8:5',
    'CET',
    'Europe/Paris',
    'GMT+1',
    '+',
    ' +8',
    '+8 ',
  ])('%s is none', text => {
    expect(faultsOf({ DAYBOOK_FILE_ZONE: text })).toEqual([
      'DAYBOOK_FILE_ZONE: expected an offset such as +08:00',
    ])
  })
})

describe('the secrets of one account', () => {
  const secretsOf = (env: Env) => Object.fromEntries(loadConfig(env).secrets)
  const main = { apiKey: 'planted-api-key', secretKey: 'planted-secret-key' }

  it('come from variables', () => {
    expect(secretsOf(KEYS)).toEqual({ main })
    expect(secretsOf({ ...KEYS, DAYBOOK_ACCOUNT: 'shop-1' })).toEqual({ 'shop-1': main })
  })

  it('come from files, or one from each', () => {
    const BINANCE_PAY_API_KEY_FILE = file('planted-api-key\n')
    const BINANCE_PAY_SECRET_KEY_FILE = file('  planted-secret-key\r\n')
    expect(secretsOf({ BINANCE_PAY_API_KEY_FILE, BINANCE_PAY_SECRET_KEY_FILE })).toEqual({ main })
    const { BINANCE_PAY_API_KEY } = KEYS
    expect(secretsOf({ BINANCE_PAY_API_KEY, BINANCE_PAY_SECRET_KEY_FILE })).toEqual({ main })
  })

  it('lose the white space that a shell or a file left around them', () => {
    expect(
      secretsOf({ BINANCE_PAY_API_KEY: 'planted-api-key\n', BINANCE_PAY_SECRET_KEY: ' planted-secret-key' }),
    ).toEqual({ main })
  })

  it('may be absent, for commands that sign nothing', () => {
    expect(loadConfig({}).secrets.size).toBe(0)
  })

  it('are not both a variable and a file', () => {
    const path = file('planted-other-secret')
    expect(faultsOf({ ...KEYS, BINANCE_PAY_SECRET_KEY_FILE: path, BINANCE_PAY_API_KEY_FILE: path })).toEqual([
      'BINANCE_PAY_API_KEY: set either BINANCE_PAY_API_KEY or BINANCE_PAY_API_KEY_FILE, not both',
      'BINANCE_PAY_SECRET_KEY: set either BINANCE_PAY_SECRET_KEY or BINANCE_PAY_SECRET_KEY_FILE, not both',
    ])
  })

  it('come in pairs', () => {
    const { BINANCE_PAY_API_KEY, BINANCE_PAY_SECRET_KEY } = KEYS
    expect(faultsOf({ BINANCE_PAY_API_KEY })).toEqual([
      'BINANCE_PAY_SECRET_KEY: expected the secret key that belongs to BINANCE_PAY_API_KEY',
    ])
    expect(faultsOf({ BINANCE_PAY_SECRET_KEY })).toEqual([
      'BINANCE_PAY_API_KEY: expected the API key that belongs to BINANCE_PAY_SECRET_KEY',
    ])
  })

  it.each([
    ['that is missing', () => join(folder, 'nowhere'), 'expected a file that can be read'],
    ['that is a folder', () => folder, 'expected a file that can be read'],
    ['that is empty', () => file(''), 'expected a file with the secret in it; the file is empty'],
    ['that is blank', () => file(' \n\t'), 'expected a file with the secret in it; the file is empty'],
  ])('in a file %s are one fault, not two', (_, path, expected) => {
    const { BINANCE_PAY_SECRET_KEY } = KEYS
    expect(faultsOf({ BINANCE_PAY_SECRET_KEY, BINANCE_PAY_API_KEY_FILE: path() })).toEqual([
      `BINANCE_PAY_API_KEY_FILE: ${expected}`,
    ])
  })

  it('that are blank are a fault', () => {
    expect(faultsOf({ ...KEYS, BINANCE_PAY_API_KEY: ' \n' })).toEqual([
      'BINANCE_PAY_API_KEY: expected a secret; there is only white space',
    ])
  })
})

describe('the name of an account', () => {
  it.each(['main', 'a', '0', 'shop-1', 'x'.repeat(40)])('may be %s', name => {
    expect(load({ DAYBOOK_ACCOUNT: name }).accounts[0]?.account).toBe(name)
  })

  it.each(['', 'Main', '-a', 'a_b', 'a.b', 'a/b', '../x', 'ä', 'x'.repeat(41), 'a\n', '__proto__'])(
    'may not be "%s", because it stands in keys and in an address',
    name => {
      expect(faultsOf({ DAYBOOK_ACCOUNT: name })).toEqual([
        'DAYBOOK_ACCOUNT: expected lower-case letters, digits and dashes, at most 40',
      ])
    },
  )
})

describe('planning', () => {
  it.each([
    ['DAYBOOK_CADENCE', 'hourly', 'expected one of daily, weekly, monthly, off'],
    ['DAYBOOK_CADENCE', 'Daily', 'expected one of daily, weekly, monthly, off'],
    ['DAYBOOK_RESERVE', '-1', 'expected a whole number from 0 to 10000'],
    ['DAYBOOK_EARLIEST_DAY', '2025-02-29', 'expected a day such as 2026-01-31'],
    ['DAYBOOK_EARLIEST_DAY', '2025-02', 'expected a day such as 2026-01-31'],
  ])('refuses %s %s', (name, text, expected) => {
    expect(faultsOf({ [name]: text })).toEqual([`${name}: ${expected}`])
  })
})

describe('a file of accounts', () => {
  const of = (path: string, env: Env = {}): LoadedConfig => loadConfig({ DAYBOOK_ACCOUNTS: path, ...env })
  const pair = (index: number) => ({ apiKey: `planted-key-${index}`, secretKey: `planted-secret-${index}` })

  it('may hold many', () => {
    const path = accountsFile(
      ...Array.from({ length: 200 }, (_, index) => ({ name: `shop-${index}`, ...pair(index) })),
    )
    const { config, secrets } = of(path)
    expect(config.accounts).toHaveLength(200)
    expect(config.accounts[7]).toEqual({
      provider: 'binance-pay',
      account: 'shop-7',
      baseUrl: 'https://bpay.binanceapi.com',
      monthlyLimit: 50,
      planning: { reserve: 5, cadence: 'daily', earliestDay: undefined },
      zoneMinutes: undefined,
    })
    expect(secrets.get('shop-7')).toEqual(pair(7))
    expect(secrets.size).toBe(200)
  })

  it('may set a limit and a zone for each; the variables are for those that do not', () => {
    const path = accountsFile(
      { name: 'one', provider: 'binance-pay', ...pair(1), monthlyLimit: 10, zone: 'UTC+7' },
      { name: 'two', ...pair(2) },
      { name: 'three', ...pair(3), zone: 'UTC' },
    )
    const { config } = of(path, { DAYBOOK_MONTHLY_LIMIT: '20', DAYBOOK_FILE_ZONE: '+01:00' })
    expect(config.accounts.map(({ monthlyLimit, zoneMinutes }) => [monthlyLimit, zoneMinutes])).toEqual([
      [10, 420],
      [20, 60],
      [20, 0],
    ])
  })

  it('may say for each what is planned; the variables are for those that do not', () => {
    const path = accountsFile(
      { name: 'one', ...pair(1), reserve: 0, cadence: 'weekly', earliestDay: '2025-03-01' },
      { name: 'two', ...pair(2) },
    )
    const env = { DAYBOOK_RESERVE: '7', DAYBOOK_CADENCE: 'off', DAYBOOK_EARLIEST_DAY: '2024-02-29' }
    expect(of(path, env).config.accounts.map(({ planning }) => planning)).toEqual([
      { reserve: 0, cadence: 'weekly', earliestDay: '2025-03-01' },
      { reserve: 7, cadence: 'off', earliestDay: '2024-02-29' },
    ])
  })

  it('may name files for the secrets', () => {
    const path = accountsFile({ name: 'one', apiKeyFile: file('key\n'), secretKeyFile: file('secret\n') })
    expect(of(path).secrets.get('one')).toEqual({ apiKey: 'key', secretKey: 'secret' })
  })

  it('may hold accounts of other providers, whose settings their own schema reads', () => {
    const { config, secrets } = of(
      accountsFile(
        { name: 'one', ...pair(1), settings: { balanceApi: 'v1', balanceAssets: ['USDT'] } },
        {
          name: 'pm',
          provider: 'payermax',
          settings: { appId: 'a' },
          secrets: { privateKeyFile: file('key\n') },
        },
        { name: 'ow', provider: 'onerway', secrets: { apiKey: ' planted ' } },
      ),
    )
    expect(config.accounts.map(({ provider, settings }) => [provider, settings])).toEqual([
      ['binance-pay', { balanceApi: 'v1', balanceAssets: ['USDT'] }],
      ['payermax', { appId: 'a' }],
      ['onerway', {}],
    ])
    expect(config.accounts[1]!.monthlyLimit).toBe(0)
    expect(secrets.get('pm')).toEqual({ privateKey: 'key' })
    expect(secrets.get('ow')).toEqual({ apiKey: 'planted' })
  })

  it('tells the faults of accounts of other providers, too', () => {
    const path = accountsFile(
      {
        name: 'a',
        provider: 'payermax',
        secrets: { privateKey: 'planted', privateKeyFile: file('planted') },
      },
      { name: 'b', provider: 'onerway', secrets: { apiKeyFile: join(folder, 'nowhere') } },
      { name: 'b', provider: 'onerway', secrets: { apiKey: ' ' } },
      { name: 'Bad Name', provider: 'onerway' },
      { name: 'c', provider: 'onerway', apiKey: 'planted' },
    )
    const told = faultsOf({ DAYBOOK_ACCOUNTS: path }).map(line => line.split(': ')[0])
    expect(told.sort()).toEqual(
      [
        'DAYBOOK_ACCOUNTS, accounts.3.name',
        'DAYBOOK_ACCOUNTS, accounts.4.provider',
        'DAYBOOK_ACCOUNTS, account a, privateKey',
        'DAYBOOK_ACCOUNTS, account b, apiKeyFile',
        'DAYBOOK_ACCOUNTS, account b',
        'DAYBOOK_ACCOUNTS, account b, apiKey',
      ].sort(),
    )
  })

  it('takes how balances are asked for from the variables, where an account does not say', () => {
    const env = { BINANCE_PAY_BALANCE_API: 'v1', BINANCE_PAY_BALANCE_ASSETS: ' USDT, BTC,' }
    expect(load(env).accounts[0]!.settings).toEqual({ balanceApi: 'v1', balanceAssets: ['USDT', 'BTC'] })
    const path = accountsFile(
      { name: 'one', ...pair(1) },
      { name: 'two', ...pair(2), settings: { balanceApi: 'v2' } },
    )
    expect(of(path, env).config.accounts.map(({ settings }) => settings)).toEqual([
      { balanceApi: 'v1', balanceAssets: ['USDT', 'BTC'] },
      { balanceApi: 'v2' },
    ])
  })

  const faults = (path: string, env: Env = {}) => faultsOf({ DAYBOOK_ACCOUNTS: path, ...env })

  it.each([
    ['that is missing', () => join(folder, 'nowhere')],
    ['that is a folder', () => folder],
    ['that is empty', () => file('')],
    ['that is no JSON', () => file('{"accounts": [{"name": "planted-secret", }]}')],
    ['that is a fraction', () => file('{"accounts":[{"name":"a","monthlyLimit":1.5}]}')],
  ])('%s is one fault that says nothing of what is in it', (_, path) => {
    expect(faults(path())).toEqual(['DAYBOOK_ACCOUNTS: expected a JSON file that can be read'])
  })

  it.each([
    ['a list', []],
    ['null', null],
    ['an object without accounts', {}],
    ['accounts that are no list', { accounts: {} }],
    ['no account', { accounts: [] }],
    ['more than accounts', { accounts: [{ name: 'one', ...pair(1) }], planted: 1 }],
  ])('that holds %s is a fault', (_, content) => {
    expect(faults(file(JSON.stringify(content)))).toEqual([expect.stringMatching(/^DAYBOOK_ACCOUNTS, /)])
  })

  it('does not mix with the settings of a single account', () => {
    const path = accountsFile({ name: 'a', apiKey: 'planted-api-key', secretKey: 'planted-secret-key' })
    const faults = faultsOf({ ...KEYS, DAYBOOK_ACCOUNTS: path, DAYBOOK_ACCOUNT: 'main' })
    expect(faults.map(line => line.split(':')[0])).toEqual([
      'DAYBOOK_ACCOUNT',
      'BINANCE_PAY_API_KEY',
      'BINANCE_PAY_SECRET_KEY',
    ])
  })

  it('is refused with a key that nobody knows, which is named', () => {
    const [fault, ...more] = faults(accountsFile({ name: 'one', ...pair(1), secretkey: 'planted-typo' }))
    expect(more).toEqual([])
    expect(fault).toMatch(/^DAYBOOK_ACCOUNTS, accounts\.0: .*secretkey/)
    expect(fault).not.toContain('planted')
  })

  it('tells every fault of every account at once', () => {
    const path = accountsFile(
      { name: 'Bad Name', ...pair(1) },
      { name: 'two', ...pair(2), monthlyLimit: 0 },
      { name: 'three', ...pair(3), provider: 'planted-provider' },
      { name: 4, apiKey: '', secretKey: 5 },
    )
    const told = faults(path)
    for (const where of [
      'accounts.0.name',
      'accounts.1.monthlyLimit',
      'accounts.2.provider',
      'accounts.3.name',
      'accounts.3.apiKey',
      'accounts.3.secretKey',
    ]) {
      expect(told.filter(fault => fault.startsWith(`DAYBOOK_ACCOUNTS, ${where}: `))).toHaveLength(1)
    }
    expect(told.join()).not.toContain('planted')
  })

  it('tells what is wrong with the values of accounts that are well formed', () => {
    const path = accountsFile(
      { name: 'one', ...pair(1), zone: 'Mars' },
      { name: 'one', ...pair(2) },
      { name: 'none' },
      { name: 'half', apiKey: 'planted-key-3' },
      { name: 'both', ...pair(4), apiKeyFile: file('x') },
      { name: 'gone', apiKey: 'planted-key-5', secretKeyFile: join(folder, 'nowhere') },
      { name: 'blank', apiKey: ' ', secretKey: 'planted-secret-6' },
      { name: 'again', ...pair(1), secretKey: 'planted-secret-7' },
    )
    expect(faults(path, { DAYBOOK_LOG_LEVEL: 'loud' }).sort()).toEqual(
      [
        'DAYBOOK_ACCOUNTS, account one, zone: expected an offset such as +08:00',
        'DAYBOOK_ACCOUNTS, account one: expected each name once',
        'DAYBOOK_ACCOUNTS, account none, apiKey: expected the secret, or the file that holds it',
        'DAYBOOK_ACCOUNTS, account none, secretKey: expected the secret, or the file that holds it',
        'DAYBOOK_ACCOUNTS, account half, secretKey: expected the secret, or the file that holds it',
        'DAYBOOK_ACCOUNTS, account both, apiKey: expected the secret or its file, not both',
        'DAYBOOK_ACCOUNTS, account gone, secretKeyFile: expected a file that can be read',
        'DAYBOOK_ACCOUNTS, account blank, apiKey: expected a secret; there is only white space',
        'DAYBOOK_ACCOUNTS, account again, apiKey: expected each API key once; its accounts would share one quota',
        'DAYBOOK_LOG_LEVEL: expected one of debug, info, warn, error, silent',
      ].sort(),
    )
  })
})

describe('secrets', () => {
  const texts = (value: unknown) => [
    JSON.stringify(value),
    inspect(value, { depth: 20, showHidden: true }),
    String(value),
  ]

  it('are in no configuration, however it is printed', () => {
    const many = accountsFile(
      { name: 'one', apiKey: 'planted-1', secretKey: 'planted-2' },
      { name: 'two', apiKeyFile: file('planted-3'), secretKeyFile: file('planted-4') },
    )
    for (const env of [KEYS, { DAYBOOK_ACCOUNTS: many }, { ...KEYS, DAYBOOK_STORE: 's3://bucket' }]) {
      const { config, secrets } = loadConfig(env)
      expect(secrets.size).toBeGreaterThan(0)
      for (const text of texts(config)) expect(text).not.toContain('planted')
    }
  })

  it('are in no fault, wherever they were put by mistake', () => {
    const secret = 'planted-secret-key'
    for (const name of Object.keys(VARIABLES)) {
      for (const value of [
        secret,
        `https://user:${secret}@x`,
        file(secret),
        file(`{"accounts":[{"name":"${secret}!"}]}`),
      ]) {
        const env = { ...KEYS, [name]: value, DAYBOOK_LOG_LEVEL: 'loud' }
        try {
          loadConfig(env)
          expect.fail('there is a fault')
        } catch (error) {
          expect(error).toMatchObject({ code: 'config-invalid' })
          for (const text of texts(error)) expect(text).not.toContain(secret)
        }
      }
    }
  })
})

describe('the environment', () => {
  const before = { ...process.env }
  afterEach(() => {
    process.env = { ...before }
  })

  it('counts an empty variable as not set', () => {
    process.env.DAYBOOK_ACCOUNT = ''
    process.env.DAYBOOK_LOG_LEVEL = 'warn'
    const env = readEnv()
    expect(env.DAYBOOK_ACCOUNT).toBeUndefined()
    expect(env.DAYBOOK_LOG_LEVEL).toBe('warn')
  })

  it('has a description of every variable, and marks the secrets', () => {
    for (const { says } of Object.values(VARIABLES)) expect(says.length).toBeGreaterThan(10)
    const secret = Object.entries(VARIABLES).flatMap(([name, variable]) =>
      'secret' in variable ? [name] : [],
    )
    expect(secret.sort()).toEqual([
      'BINANCE_PAY_API_KEY',
      'BINANCE_PAY_SECRET_KEY',
      'DAYBOOK_API_TOKEN',
      'DAYBOOK_DESK_SESSION_KEY',
      'DAYBOOK_OIDC_CLIENT_SECRET',
    ])
  })
})

describe('a file of column names', () => {
  const of = (content: unknown) => file(JSON.stringify(content))
  const MEANINGS = 'userId, time, wallet, operation, asset, amount, remark'

  it('adds names by meaning', () => {
    const columns = { amount: ['Betrag', 'Change'], time: ['Buchung'] }
    expect(load({ DAYBOOK_COLUMNS_FILE: of(columns) }).columns).toEqual(columns)
    expect(load({ DAYBOOK_COLUMNS_FILE: of({}) }).columns).toEqual({})
    expect(loadColumns({ DAYBOOK_COLUMNS_FILE: of(columns), DAYBOOK_LISTEN: 'nowhere' })).toEqual(columns)
    expect(loadColumns({})).toEqual({})
  })

  it.each<[string, unknown, string[]]>([
    ['a list', [], [`file: expected an object of lists of names by meaning: ${MEANINGS}`]],
    ['a meaning that is none', { ammount: ['x'] }, [`ammount: expected one of the meanings ${MEANINGS}`]],
    ['a name instead of a list', { amount: 'x' }, ['amount: expected a list of column names']],
    ['no name', { amount: [] }, ['amount: expected at least one column name']],
    [
      'names that are none',
      { amount: ['x', ' _ ', 7, 'x'.repeat(201)] },
      [
        'amount.1: expected the name of a column, not an empty text',
        'amount.2: expected the name of a column',
        'amount.3: expected at most 200 characters',
      ],
    ],
    ['a zone', { time: ['Booked (UTC+7)'] }, ['time.0: expected the name without the zone behind it']],
    [
      'names that mean something else',
      { time: ['Booked'], amount: ['coin', 'booked'] },
      [
        'amount.0: expected a name that means nothing else; this one means asset already',
        'amount.1: expected a name that means nothing else; this one means time already',
      ],
    ],
  ])('that holds %s is a fault that names file and field', (_, content, expected) => {
    const path = of(content)
    expect(faultsOf({ DAYBOOK_COLUMNS_FILE: path })).toEqual(
      expected.map(fault => `DAYBOOK_COLUMNS_FILE, ${fault}`),
    )
  })

  it.each(['{', ''])('that is no JSON is a fault: "%s"', content => {
    const path = file(content)
    expect(faultsOf({ DAYBOOK_COLUMNS_FILE: path })).toEqual([
      'DAYBOOK_COLUMNS_FILE: expected a JSON file that can be read',
    ])
  })
})
