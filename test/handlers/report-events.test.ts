import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eachReport } from '../../handlers/report-events.ts'
import type { Started } from '../../handlers/start.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import { createdEvent, encodedKey, testEvent } from '../support/lambda/s3-events.ts'
import { startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

const REPORT = '466780563124436993'
const KEY = `reports/binance-pay/main/${REPORT}/callback.json`
const TIME = { getRemainingTimeInMillis: () => 60_000 }

describe('batches of S3 events', () => {
  let world: TestDaybook
  let daybook: Started
  let worked: string[]

  beforeEach(async () => {
    world = await startTestDaybook({ serve: false })
    daybook = { ...world.daybook, metrics: () => {}, eventBus: undefined }
    worked = []
  })
  afterEach(() => world.stop())

  const batch = (...bodies: string[]) => ({
    Records: bodies.map((body, index) => ({ messageId: `message-${index}`, body })),
  })
  const run = (
    event: unknown,
    work: (id: string) => Promise<unknown> = async id => worked.push(id),
    time = TIME,
  ) =>
    eachReport(daybook, event as Parameters<typeof eachReport>[1], time, 'callback.json', async (_, id) => {
      await work(id)
    })
  const failures = (...ids: string[]) => ({
    batchItemFailures: ids.map(itemIdentifier => ({ itemIdentifier })),
  })

  it('works on the report of every creation, also when it is told twice or in one message', async () => {
    const one = createdEvent('bucket', KEY, 'Put')
    const two = JSON.stringify({ Records: [...JSON.parse(one).Records, ...JSON.parse(one).Records] })
    const completed = createdEvent('bucket', KEY, 'CompleteMultipartUpload')
    expect(await run(batch(one, two, completed))).toEqual(failures())
    expect(worked).toEqual([REPORT, REPORT, REPORT, REPORT])
  })

  it('acknowledges what is no creation of this part: test events, other objects, removals, odd texts', async () => {
    const removed = createdEvent('bucket', KEY, 'Put').replace('ObjectCreated:Put', 'ObjectRemoved:Delete')
    const others = ['accepted.json', 'file/callback.json', 'archive.json'].map(part =>
      createdEvent('bucket', KEY.replace('callback.json', part), 'Put'),
    )
    const odd = ['', 'no json', '[]', '{"Records":[{}]}', 'null', createdEvent('bucket', 'a b/%', 'Put')]
    expect(await run(batch(testEvent('bucket'), removed, ...others, ...odd))).toEqual(failures())
    expect(worked).toEqual([])
    expect(world.log.filter(line => line.includes('event.unreadable'))).toHaveLength(5)
  })

  it('reads keys as S3 writes them', async () => {
    const key = 'reports/binance-pay/main/odd id+(1)=~/callback.json'
    expect(encodedKey(key)).toBe('reports/binance-pay/main/odd+id%2B%281%29%3D~/callback.json')
    await run(batch(createdEvent('bucket', key, 'Put')))
    expect(worked).toEqual(['odd id+(1)=~'])
  })

  it('strips the prefix of the store, and leaves alone what lies outside of it', async () => {
    const store = {
      kind: 's3',
      bucket: 'bucket',
      prefix: 'books/eu',
      endpoint: undefined,
      region: '',
    } as const
    daybook = { ...daybook, config: { ...daybook.config, store } }
    const inside = createdEvent('bucket', `books/eu/${KEY}`, 'Put')
    expect(await run(batch(inside, createdEvent('bucket', KEY, 'Put')))).toEqual(failures())
    expect(worked).toEqual([REPORT])
  })

  it('returns what may succeed later, and only that', async () => {
    const bodies = ['1', '2', '3'].map(id => createdEvent('bucket', KEY.replace(REPORT, id), 'Put'))
    const work = async (id: string) => {
      if (id === '2') throw new DaybookError('store-unavailable', 'not now')
      worked.push(id)
    }
    expect(await run(batch(...bodies), work)).toEqual(failures('message-1'))
    expect(worked).toEqual(['1', '3'])
    const { record } = await world.daybook.context.work.attempt(world.account.ref, '2')
    expect(record).toBeUndefined()
  })

  it('writes down under the report what can never succeed, and acknowledges it', async () => {
    const says = 'The host evil.example is not allowed.'
    const work = async () => {
      throw new DaybookError('download-refused', says)
    }
    expect(await run(batch(createdEvent('bucket', KEY, 'Put')), work)).toEqual(failures())
    await expectAttempt(says)
  })

  it('returns it all the same when that cannot be written down, and what is a bug', async () => {
    const refused = async () => {
      throw new DaybookError('download-refused', 'never')
    }
    const event = batch(createdEvent('bucket', KEY, 'Put'))
    const down = async () => {
      throw new DaybookError('store-unavailable', 'down')
    }
    const { context } = daybook
    daybook = { ...daybook, context: { ...context, work: { ...context.work, writeAttempt: down } } }
    // The report must be there to be written about.
    await world.daybook.context.reports.mark(world.account.ref, REPORT, new Date())
    expect(await run(event, refused)).toEqual(failures('message-0'))
    daybook = { ...daybook, context }
    const bug = async () => {
      throw new TypeError('a bug')
    }
    expect(await run(event, bug)).toEqual(failures('message-0'))
  })

  it('returns what is about an account that it does not know', async () => {
    const stranger = createdEvent('bucket', KEY.replace('/main/', '/new/'), 'Put')
    expect(await run(batch(stranger))).toEqual(failures('message-0'))
  })

  it('begins with nothing when there is no time left', async () => {
    let left = 60_000
    const time = { getRemainingTimeInMillis: () => left }
    const work = async (id: string) => {
      worked.push(id)
      left = 1_000
    }
    const bodies = ['1', '2', '3'].map(id => createdEvent('bucket', KEY.replace(REPORT, id), 'Put'))
    expect(await run(batch(...bodies), work, time)).toEqual(failures('message-1', 'message-2'))
    expect(worked).toEqual(['1'])
  })

  async function expectAttempt(says: string): Promise<void> {
    const { record } = await world.daybook.context.work.attempt(world.account.ref, REPORT)
    expect(record).toMatchObject({ failures: 1, says, retry: false, begun: 0 })
    expect(record?.endedAt).not.toBeNull()
  }
})
