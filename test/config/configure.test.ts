import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configure } from '../../src/config/configure.ts'
import { type AwsStandIn, startAwsStandIn } from '../support/lambda/aws-stand-in.ts'

const account = (name: string) => ({ name, apiKey: `key-of-${name}`, secretKey: `secret-of-${name}` })
const text = (...names: string[]) => JSON.stringify({ accounts: names.map(account) })

describe('accounts from Secrets Manager', () => {
  let aws: AwsStandIn
  const before = { ...process.env }
  beforeAll(async () => {
    aws = await startAwsStandIn({
      one: text('eu', 'br'),
      two: text('us'),
      broken: 'no json',
      same: text('us'),
    })
    Object.assign(process.env, aws.env, { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' })
  })
  afterAll(async () => {
    process.env = before
    await aws.stop()
  })
  const env = (id: string) => ({ AWS_REGION: 'us-east-1', DAYBOOK_SECRET_ID: id })

  it('are put together from all secrets that are named, each read once', async () => {
    const { config, secrets } = await configure(env('one, two'))
    expect(config.accounts.map(each => each.account)).toEqual(['eu', 'br', 'us'])
    expect(secrets.get('us')).toEqual({ apiKey: 'key-of-us', secretKey: 'secret-of-us' })
    expect(aws.reads()).toBe(2)
  })

  it('name a secret that is not there, or holds no accounts, and never what it holds', async () => {
    await expect(configure(env('one,none'))).rejects.toMatchObject({
      code: 'config-invalid',
      message: 'The secret none of DAYBOOK_SECRET_ID could not be read (ResourceNotFoundException).',
    })
    await expect(configure(env('broken'))).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('DAYBOOK_SECRET_ID: expected'),
    })
    const twice = configure(env('two,same'))
    await expect(twice).rejects.toMatchObject({ message: expect.stringContaining('expected each name once') })
    await expect(twice).rejects.not.toMatchObject({ message: expect.stringContaining('key-of-us') })
  })

  it('stand alone: neither a file of accounts nor the keys of one beside them', async () => {
    const both = configure({ ...env('one'), DAYBOOK_ACCOUNTS: '/accounts.json', BINANCE_PAY_API_KEY: 'k' })
    await expect(both).rejects.toMatchObject({
      message: expect.stringMatching(
        /DAYBOOK_ACCOUNTS: leave it out[\s\S]*BINANCE_PAY_API_KEY: leave it out/,
      ),
    })
  })
})
