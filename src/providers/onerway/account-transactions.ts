/**
 * The account's movements. https://docs.onerway.com/apis/en/v0.6/account-transactions
 *
 * ask    {"requestId","requestTime","currency","beginTime","endTime","current"}; at most 31 days
 * answer {"total","size","current","records":[{"currency","acntTxnId","serviceId","balanceUpdDate","amount","remark","businessType"}]}
 *
 * Whether the bounds count is not documented, so a little more is asked for and cut here, and movements are
 * told apart by `acntTxnId` alone. Ids are read from their text: they have 19 digits. Movements may be added
 * while pages are read, so pages are read again until a pass tells as many different ones as it says there are.
 */
import type { ActivityRow } from '../../domain/activity.ts'
import { DaybookError } from '../../domain/errors.ts'
import { JsonNumber, writeJson } from '../../domain/json.ts'
import { type JsonObject, requiredAmount, requiredList, requiredText, textOf } from '../json-fields.ts'
import type { Movements } from '../provider.ts'
import { targetAssumption } from './account-balance.ts'
import type { OnerwayClient } from './client.ts'
import type { OnerwaySettings } from './settings.ts'

/** The documented limit of one question. */
export const LONGEST_WINDOW_DAYS = 31

const DAY_MS = 86_400_000
const MARGIN_MS = 1_000
const MOST_PASSES = 3

export interface TransactionOptions {
  readonly client: OnerwayClient
  readonly settings: OnerwaySettings
}

/** Every movement of a currency from `from` up to, not including, `to`, in the order of their times. */
export async function readMovements(
  options: TransactionOptions,
  currency: string,
  from: Date,
  to: Date,
): Promise<Movements> {
  const found = new Map<string, ActivityRow>()
  const pages: Uint8Array[] = []
  for (const window of windowsOf(from.getTime(), to.getTime())) {
    const pass = await stablePass(options, currency, window)
    pages.push(...pass.pages)
    for (const [id, row] of pass.rows) found.set(id, row)
  }
  const [first, end] = [BigInt(from.getTime()) * 1000n, BigInt(to.getTime()) * 1000n]
  const rows = [...found.values()]
    .filter(({ micros }) => micros >= first && micros < end)
    .sort((one, other) => (one.micros < other.micros ? -1 : one.micros > other.micros ? 1 : 0))
  return { rows, pages, assumptions: assumptionsOf(options.settings) }
}

function assumptionsOf(settings: OnerwaySettings): string[] {
  return [targetAssumption(settings), 'whether holds are recorded as movements is not documented']
}

interface Window {
  readonly beginMs: number
  readonly endMs: number
}

/** Windows that overlap a little and stay within the limit, margins included. */
export function windowsOf(fromMs: number, toMs: number): Window[] {
  const stepMs = LONGEST_WINDOW_DAYS * DAY_MS - 2 * MARGIN_MS
  const windows: Window[] = []
  for (let at = fromMs; at < toMs; at += stepMs) {
    windows.push({ beginMs: at - MARGIN_MS, endMs: Math.min(at + stepMs, toMs) + MARGIN_MS })
  }
  return windows
}

interface Pass {
  readonly rows: ReadonlyMap<string, ActivityRow>
  readonly pages: readonly Uint8Array[]
}

async function stablePass(options: TransactionOptions, currency: string, window: Window): Promise<Pass> {
  let counts = ''
  for (let pass = 1; pass <= MOST_PASSES; pass++) {
    const { rows, pages, total } = await readPages(options, currency, window)
    if (rows.size === total) return { rows, pages }
    counts = `${rows.size} of ${total}`
  }
  throw new DaybookError(
    'provider-unreachable',
    `Onerway's transactions in ${currency} kept changing while they were read (${counts}); ask for a window further in the past.`,
    { details: { currency } },
  )
}

async function readPages(
  { client, settings }: TransactionOptions,
  currency: string,
  window: Window,
): Promise<Pass & { total: number }> {
  const rows = new Map<string, ActivityRow>()
  const pages: Uint8Array[] = []
  let records = 0
  for (let current = 1; current <= settings.mostPages; current++) {
    const { data, body } = await client.call(settings.paths.transactions, {
      currency,
      beginTime: new Date(window.beginMs).toISOString(),
      endTime: new Date(window.endMs).toISOString(),
      current: new JsonNumber(current.toString()),
    })
    pages.push(body)
    const list = requiredList(data, 'records')
    records += list.length
    for (const record of list) rows.set(requiredText(record, 'acntTxnId'), movementOf(record, currency))
    const total = Number.parseInt(requiredText(data, 'total'), 10)
    if (list.length === 0 || records >= total) return { rows, pages, total }
  }
  throw new DaybookError(
    'provider-protocol',
    `Onerway has more than ${settings.mostPages} pages of transactions.`,
  )
}

const KNOWN = ['currency', 'balanceUpdDate', 'amount', 'remark', 'businessType']

/** A movement as a row of the activity table; its ids stand in `extra`, for identical rows are real. */
export function movementOf(record: JsonObject, currency: string): ActivityRow {
  const told = requiredText(record, 'currency')
  if (told !== currency)
    throw new DaybookError('provider-protocol', `Onerway was asked for ${currency} and told of ${told}.`)
  const at = new Date(requiredText(record, 'balanceUpdDate'))
  if (Number.isNaN(at.getTime()))
    throw new DaybookError('provider-protocol', 'Onerway told a time that cannot be read in balanceUpdDate.')
  const rest = Object.entries(record).filter(([name]) => !KNOWN.includes(name))
  return {
    micros: BigInt(at.getTime()) * 1000n,
    userId: null,
    wallet: '',
    operation: textOf(record.businessType) ?? '',
    asset: currency,
    amount: requiredAmount(record, 'amount'),
    remark: textOf(record.remark) ?? '',
    // Ids leave as texts, so that no reader rounds them.
    extra: writeJson(Object.fromEntries(rest.map(([name, value]) => [name, textOf(value) ?? value]))),
  }
}
