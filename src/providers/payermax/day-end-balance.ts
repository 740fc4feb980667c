/**
 * POST …/endDayAccountBalanceQuery
 * https://docs.payermax.com/public/api/New%20Version/en/v1.0/aggregate-pay_api_gateway_endDayAccountBalanceQuery.html
 *
 * ask    {"inquiryDate":day,"timezone":"UTC"|"CST","endDayAccountBalanceQueryReq":{"fundsAccountCurrencyList":[],"fundsAccountNoList":[]}}
 * answer {"acctTime","timeZone"|"timezone","endDayAccountBalanceInfoList":[
 *        {"fundsAccountNo","currency","initialBalance","inflowAmount","outflowAmount","endBalance"}]}
 *
 * The page describes `inflowAmount` as an outflow and `outflowAmount` as an inflow; its formula, titles and
 * samples say what the names say, so the names are followed, and nothing is ever swapped in silence. A row
 * is an account number and a currency. A currency that is missing is not reported; that is no proof of zero.
 */
import { AMOUNT_SCALE, type Amount } from '../../domain/amount.ts'
import { type Balance, type BalanceAnswerRecord, NO_FIGURES } from '../../domain/balance.ts'
import { addDays, type Day, type DayRange, dayOf, startOfDay } from '../../domain/calendar.ts'
import { DaybookError } from '../../domain/errors.ts'
import { tryParseJson, writeJson } from '../../domain/json.ts'
import { balanceAnswer, textOfAnswer } from '../balance-answer.ts'
import {
  isObject,
  type JsonObject,
  otherFields,
  requiredAmount,
  requiredList,
  requiredText,
  textOf,
} from '../json-fields.ts'
import type { Balances } from '../provider.ts'
import type { PayerMaxClient } from './client.ts'
import { type PayerMaxSettings, ZONE_MINUTES, ZONE_NAMES, type Zone } from './settings.ts'

export const DAY_END_PATH = 'endDayAccountBalanceQuery'

const OPERATION = 'day-end-balance'

/** The documentation says "nearly 90 days". */
export const DAYS_BACK = 90

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export interface DayEndOptions {
  readonly client: PayerMaxClient
  readonly settings: PayerMaxSettings
  /** PayerMax's key as PEM, for the record of what was verified. */
  readonly publicKeyPem: string
}

export function dayEndBalances({ client, settings, publicKeyPem }: DayEndOptions): Balances {
  return {
    basis: 'day-end',
    days: now => askableDays(settings, now),
    async ask(day) {
      if (day === undefined) throw new DaybookError('usage-invalid', 'A day-end balance is asked for by day.')
      const answers: BalanceAnswerRecord[] = []
      // One after the other: no rate limit is published, and each is signed for its own two minutes.
      for (const zone of settings.zones) {
        const answer = await client.call(DAY_END_PATH, dayEndQuestion(settings, day, zone))
        answers.push(
          balanceAnswer({
            ...answer,
            operation: OPERATION,
            question: { day, zone },
            settings: unitSettings(settings),
            assumptions: assumptionsOf(settings),
            signature: { value: answer.signature, publicKey: publicKeyPem },
          }),
        )
      }
      return answers
    },
    read: readDayEnd,
  }
}

export function dayEndQuestion(settings: PayerMaxSettings, day: Day, zone: Zone): unknown {
  return {
    inquiryDate: day,
    timezone: zone,
    endDayAccountBalanceQueryReq: {
      fundsAccountCurrencyList: settings.currencies,
      fundsAccountNoList: settings.fundsAccounts,
    },
  }
}

/** The days that have closed in every zone asked for, ninety back from today. */
export function askableDays(settings: PayerMaxSettings, now: Date): DayRange {
  const todays = settings.zones.map(zone => {
    const shiftMs = (ZONE_MINUTES[zone] - settings.availableAfterMinutes) * MINUTE_MS
    return dayOf(new Date(now.getTime() + shiftMs))
  })
  const end = todays.reduce((least, day) => (day < least ? day : least))
  const today = settings.zones
    .map(zone => dayOf(new Date(now.getTime() + ZONE_MINUTES[zone] * MINUTE_MS)))
    .reduce((most, day) => (day > most ? day : most))
  return { start: addDays(today, -DAYS_BACK), end }
}

function unitSettings({ amountUnit, minorDigits }: PayerMaxSettings): Record<string, string> {
  return amountUnit === 'major' ? { amountUnit } : { amountUnit, minorDigits: writeJson(minorDigits) }
}

function assumptionsOf({ amountUnit }: PayerMaxSettings): string[] {
  return [
    amountUnit === 'major'
      ? 'amounts are in major units; the documentation names no unit'
      : 'amounts are in minor units, as amountUnit says; the documentation names no unit',
    'inflow and outflow follow the names of the fields; their descriptions are swapped in the documentation',
    'an account and currency without a row is not reported, which does not prove zero',
  ]
}

/** The balances of an archived answer. Throws `provider-protocol`. */
export function readDayEnd(answer: BalanceAnswerRecord): Balance[] {
  const data = dataOf(answer)
  const { day, zone } = askedOf(answer)
  const told = textOf(data.timeZone) ?? textOf(data.timezone) ?? ''
  if (told.toUpperCase() !== zone)
    throw new DaybookError(
      'provider-protocol',
      `PayerMax was asked for zone ${zone} and answered for another.`,
    )
  const acctTime = textOf(data.acctTime) ?? null
  const scale = unitOf(answer)
  const closedMs = startOfDay(day).getTime() + DAY_MS - ZONE_MINUTES[zone] * MINUTE_MS
  return requiredList(data, 'endDayAccountBalanceInfoList').map(row => {
    const currency = requiredText(row, 'currency')
    const amount = (name: string) => scale(requiredAmount(row, name), currency)
    return {
      ...NO_FIGURES,
      wallet: null,
      fundsAccount: requiredText(row, 'fundsAccountNo'),
      asset: currency,
      basis: 'day-end',
      asOfMicros: BigInt(closedMs) * 1000n,
      day,
      zone: ZONE_NAMES[zone],
      opening: amount('initialBalance'),
      inflow: amount('inflowAmount'),
      outflow: amount('outflowAmount'),
      closing: amount('endBalance'),
      valuations: null,
      status: null,
      extra: otherFields({ ...row, acctTime }, KNOWN),
    }
  })
}

const KNOWN = ['fundsAccountNo', 'currency', 'initialBalance', 'inflowAmount', 'outflowAmount', 'endBalance']

function dataOf(answer: BalanceAnswerRecord): JsonObject {
  const body = tryParseJson(textOfAnswer(answer))
  const data = isObject(body) ? body.data : undefined
  if (isObject(data)) return data
  throw new DaybookError('provider-protocol', 'PayerMax answered a balance query without data.')
}

function askedOf({ question }: BalanceAnswerRecord): { day: Day; zone: Zone } {
  const { day = '', zone = '' } = question
  if (day !== '' && Object.hasOwn(ZONE_MINUTES, zone)) return { day, zone: zone as Zone }
  throw new DaybookError('record-invalid', 'A snapshot of PayerMax does not say its day and zone.')
}

/** Amounts as they came, or divided by the currency's minor unit. */
function unitOf({ settings }: BalanceAnswerRecord): (amount: Amount, currency: string) => Amount {
  if (settings.amountUnit !== 'minor') return amount => amount
  const parsed = tryParseJson(settings.minorDigits ?? '{}')
  const digits = isObject(parsed) ? parsed : {}
  return (amount, currency) => {
    const places = Number.parseInt(textOf(digits[currency]) ?? '', 10)
    if (Number.isNaN(places))
      throw new DaybookError(
        'provider-protocol',
        `PayerMax told a balance in ${currency}, whose decimal places minorDigits does not name.`,
      )
    const divisor = 10n ** BigInt(places)
    if (amount % divisor === 0n) return amount / divisor
    throw new DaybookError(
      'provider-protocol',
      `An amount in ${currency} has more decimals than ${AMOUNT_SCALE} places hold.`,
    )
  }
}
