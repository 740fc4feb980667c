/** Tells the event bus of days that were published. */
import { hash } from 'node:crypto'
import { DaybookError } from '../src/domain/errors.ts'
import { writeJson } from '../src/domain/json.ts'
import type { AccountRef } from '../src/domain/keys.ts'
import type { Manifest } from '../src/domain/report.ts'
import type { Started } from './start.ts'

/** The most that one call takes. */
const MOST_ENTRIES = 10

/** One event a published day, at least once; the same publication has the same id. Throws `store-unavailable`. */
export async function tellOfDays(
  { eventBus, context }: Pick<Started, 'eventBus' | 'context'>,
  ref: AccountRef,
  { reportId, generatedAt, days }: Manifest,
): Promise<void> {
  const told = days
    .filter(({ publication }) => publication === 'published')
    .map(({ day, key, rows, sha256 }) => ({
      id: hash('sha256', `${key} ${sha256}`),
      ...ref,
      ...{ day, key, rows, sha256, reportId, generatedAt },
    }))
  if (eventBus === undefined || told.length === 0) return
  const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge')
  const client = new EventBridgeClient({
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 },
  })
  try {
    for (let at = 0; at < told.length; at += MOST_ENTRIES) {
      const Entries = told.slice(at, at + MOST_ENTRIES).map(detail => ({
        EventBusName: eventBus,
        Source: 'daybook',
        DetailType: 'DayPublished',
        Detail: writeJson(detail),
      }))
      const { FailedEntryCount } = await client.send(new PutEventsCommand({ Entries }))
      if ((FailedEntryCount ?? 0) > 0) throw new Error(`${FailedEntryCount} events were not taken`)
    }
    context.log.info('days.told', { ...ref, reportId, days: told.length })
  } catch (cause) {
    const says = 'The event bus did not take the days that were published.'
    throw new DaybookError('store-unavailable', says, { cause })
  } finally {
    client.destroy()
  }
}
