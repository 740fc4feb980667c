/**
 * A queue and its event source, as SQS and Lambda are: at least once, in any order, in batches, with a
 * visibility time-out, and a dead-letter queue after so many receives.
 */
import { randomInt, randomUUID } from 'node:crypto'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import type { Invoked, LambdaFunction } from './lambda-function.ts'

export interface QueueOptions {
  readonly name: string
  readonly target: Pick<LambdaFunction, 'invoke'>
  readonly batchSize: number
  /** How many batches are under way at once. */
  readonly atOnce: number
  readonly visibilityMs: number
  readonly maxReceives: number
  /** Of a hundred messages, how many are delivered once more although they were acknowledged. */
  readonly twicePercent: number
}

interface Message {
  readonly id: string
  readonly body: string
  receives: number
  visibleAt: number
}

export interface Queue {
  send(body: string): void
  /** Messages that are not acknowledged yet. */
  depth(): number
  readonly deadLetters: readonly string[]
  readonly counts: { delivered: number; returned: number; died: number; acknowledged: number }
  stop(): Promise<void>
}

export function startQueue(options: QueueOptions): Queue {
  const messages = new Set<Message>()
  const deadLetters: string[] = []
  const counts = { delivered: 0, returned: 0, died: 0, acknowledged: 0 }
  let stopped = false

  /** Messages in no order; those that were received too often are put aside. */
  function receive(): Message[] {
    const now = performance.now()
    const visible = [...messages].filter(({ visibleAt }) => visibleAt <= now)
    for (const message of visible.filter(({ receives }) => receives >= options.maxReceives)) {
      messages.delete(message)
      deadLetters.push(message.body)
    }
    const batch: Message[] = []
    const left = visible.filter(message => messages.has(message))
    while (batch.length < options.batchSize && left.length > 0)
      batch.push(...left.splice(randomInt(left.length), 1))
    for (const message of batch) {
      message.receives++
      message.visibleAt = now + options.visibilityMs
    }
    return batch
  }

  async function work(): Promise<void> {
    while (!stopped) {
      const batch = receive()
      if (batch.length === 0) {
        await new Promise(resolve => setTimeout(resolve, 20))
        continue
      }
      counts.delivered += batch.length
      const invoked = await options.target.invoke(eventOf(options.name, batch))
      if (!stopped) settle(batch, invoked)
    }
  }

  function settle(batch: readonly Message[], invoked: Invoked): void {
    if (invoked.outcome !== 'answered') {
      counts.died += batch.length
      return
    }
    const { batchItemFailures = [] } = (invoked.answer ?? {}) as Partial<SQSBatchResponse>
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    for (const message of batch) {
      if (failed.has(message.id)) counts.returned++
      else if (randomInt(100) >= options.twicePercent || message.receives > 1) {
        counts.acknowledged++
        messages.delete(message)
      }
    }
  }

  const workers = Array.from({ length: options.atOnce }, work)
  return {
    send: body => void messages.add({ id: randomUUID(), body, receives: 0, visibleAt: 0 }),
    depth: () => messages.size,
    deadLetters,
    counts,
    async stop() {
      stopped = true
      await Promise.all(workers)
    },
  }
}

function eventOf(name: string, batch: readonly Message[]): SQSEvent {
  return {
    Records: batch.map(({ id, body, receives }) => ({
      messageId: id,
      receiptHandle: randomUUID(),
      body,
      attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: String(Date.now()),
        SenderId: 'AIDAEXAMPLE',
        ApproximateFirstReceiveTimestamp: String(Date.now()),
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${name}`,
      awsRegion: 'us-east-1',
    })),
  }
}
