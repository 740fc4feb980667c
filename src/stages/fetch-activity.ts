/** Asks a provider for the movements of days and publishes each day as the activity table has it. */
import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ActivityRow, identifyRows, PARSER_VERSION } from '../domain/activity.ts'
import { instantName } from '../domain/balance.ts'
import { addDays, type Day, dayOf, startOfDay } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { movementsKey } from '../domain/keys.ts'
import type { DayOrigin } from '../domain/report.ts'
import { encodeActivity } from '../formats/parquet.ts'
import type { Activity } from '../providers/provider.ts'
import { dayMetadata, publishDay } from '../stores/activity-table.ts'
import { createRecord } from '../stores/record.ts'
import type { Account, Context } from './context.ts'

export type FetchActivityOutcome =
  | { outcome: 'published'; day: Day; rows: number; assets: string[]; assumptions: string[] }
  /** What somebody else asked for later stands; what was told now is kept as a record only. */
  | { outcome: 'newer-kept'; day: Day; rows: number; assets: string[]; assumptions: string[] }
  /** The day has not ended, so more may happen in it. */
  | { outcome: 'not-askable'; says: string }

type FetchContext = Pick<Context, 'store' | 'clock' | 'log' | 'makeWorkFolder' | 'processName'>

export async function fetchActivity(
  context: FetchContext,
  account: Account,
  day: Day,
): Promise<FetchActivityOutcome> {
  const activity = activityOf(account)
  const askedAt = context.clock.now()
  if (day >= dayOf(askedAt))
    return { outcome: 'not-askable', says: `The day ${day} (UTC) has not ended; more may happen in it.` }
  const { rows, assets, assumptions, pages } = await askDay(activity, day)
  const reportId = instantName(askedAt)
  const record = {
    day,
    askedAt: askedAt.toISOString(),
    by: context.processName,
    assets,
    assumptions,
    pages: pages.map(page => Buffer.from(page).toString('base64')),
  }
  await createRecord(context.store, movementsKey(account.ref, day, reportId), record)
  const origin = { reportId, generatedAt: askedAt.toISOString(), parserVersion: PARSER_VERSION }
  const outcome = await publish(context, account, day, rows, origin, digestOf(pages))
  const event = outcome === 'published' ? 'activity.published' : 'activity.superseded'
  context.log.info(event, { ...account.ref, day, rows: rows.length })
  return { outcome, day, rows: rows.length, assets, assumptions }
}

function activityOf({ provider }: Account): Activity {
  if (provider.activity !== undefined) return provider.activity
  throw new DaybookError('usage-invalid', `The provider ${provider.name} tells no movements.`)
}

async function askDay(activity: Activity, day: Day) {
  const [from, to] = [startOfDay(day), startOfDay(addDays(day, 1))]
  const assets = await activity.assets()
  const rows: ActivityRow[] = []
  const pages: Uint8Array[] = []
  const assumptions = new Set<string>()
  for (const asset of assets) {
    const movements = await activity.movements(asset, from, to)
    rows.push(...movements.rows)
    pages.push(...movements.pages)
    for (const assumption of movements.assumptions) assumptions.add(assumption)
  }
  return { rows, assets, pages, assumptions: [...assumptions] }
}

function digestOf(pages: readonly Uint8Array[]): string {
  const sha256 = createHash('sha256')
  for (const page of pages) sha256.update(page)
  return sha256.digest('hex')
}

async function publish(
  { store, makeWorkFolder }: FetchContext,
  account: Account,
  day: Day,
  rows: ActivityRow[],
  origin: DayOrigin,
  sourceSha256: string,
): Promise<'published' | 'newer-kept'> {
  const folder = await makeWorkFolder()
  try {
    const path = join(folder, 'activity.parquet')
    await writeFile(path, encodeActivity(identifyRows(rows), dayMetadata(origin, sourceSha256)))
    return (await publishDay(store, { ref: account.ref, day, path, origin })).publication
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
