/**
 * PayerMax's gateway: signatures over the bytes in both directions, made and checked with node-forge alone,
 * a clock of two minutes, and day-end balances in two zones.
 */
import forge from 'node-forge'
import { addDays, type Day, dayOf, daysBetween, isDay, startOfDay } from '../domain/calendar.ts'
import { JsonNumber, type JsonValue, tryParseJson, writeJson } from '../domain/json.ts'
import { type Answer, forbiddenPage } from './answers.ts'
import { type ApiCall, faultReply, type Reply } from './api-routes.ts'
import type { Knobs } from './knobs.ts'
import { heldAt, type MovementBook, movementsOf } from './movements.ts'
import { header, type Merchant } from './request-checks.ts'
import { type SigningKey, signPayload } from './signing-keys.ts'
import { shownNowMs, type World } from './world.ts'

const GATEWAY = '/aggregate-pay/api/gateway'
const NAMES = ['endDayAccountBalanceQuery', 'fundsAccountQuery'] as const
type Name = (typeof NAMES)[number]

export const PAYERMAX_PATHS: ReadonlyMap<string, Name> = new Map(
  NAMES.map(name => [`${GATEWAY}/${name}`, name] as const),
)

const ZONE_MINUTES: Readonly<Record<string, number>> = { UTC: 0, CST: 480 }
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAYS_BACK = 90

/** The accounts of every merchant: one number with several currencies, as the documentation's sample. */
const ACCOUNTS: Readonly<Record<string, readonly string[]>> = {
  '123456': ['IDR', 'CNY', 'EUR', 'SAR', 'USD'],
  '654321': ['USD'],
}
/** An account that never holds anything. */
const EMPTY = { fundsAccountNo: '654321', currency: 'BRL' }

/** Added to balances so that a double cannot hold them. */
const HUGE = 9_007_199_254_740_993_000n

type Fields = { readonly [name: string]: JsonValue }
type Refused = { readonly code: string; readonly msg: string }

export async function answerPayerMax(world: World, name: Name, call: ApiCall): Promise<Reply> {
  const { knobs } = call
  const isJson = /^application\/json\b/i.test(header(call, 'content-type'))
  const body = tryParseJson(call.body.toString('utf8'))
  if (call.method !== 'POST' || !isJson || !isFields(body))
    return refused(world, { code: 'PARAMS_INVALID', msg: 'POST a JSON object.' }, knobs)
  const merchant = checkSender(world, call, body)
  if ('code' in merchant) return refused(world, merchant, knobs)
  if (knobs.payermaxBusyEvery > 0 && world.countOf('payermax') % knobs.payermaxBusyEvery === 0)
    return refused(world, { code: 'TOO_MANY_REQUEST', msg: 'Too many requests.' }, knobs)
  const data = isFields(body.data) ? body.data : {}
  const answer = name === 'fundsAccountQuery' ? fundsAccounts(data) : dayEnd(world, merchant, data, knobs)
  if ('code' in answer) return refused(world, answer as Refused, knobs)
  const fault = world.meetsFault('payermaxFault', knobs) ? knobs.payermaxFault : 'none'
  return accepted(world, answer, fault, knobs)
}

/** Who asks, and whether they may: the app, its signature, the clock, the member. */
function checkSender(world: World, call: ApiCall, body: Fields): Merchant | Refused {
  const { knobs } = call
  const merchant = world.merchants.find(
    ({ payermax }) => payermax !== undefined && payermax.appId === body.appId,
  )
  if (merchant?.payermax === undefined)
    return { code: 'MERCHANT_APP_INVALID', msg: 'The app is not known or has no key.' }
  if (knobs.payermaxSignature === 'checked' && !isSigned(call, merchant.payermax.publicKey))
    return { code: 'SIGN_VERIFY_FAILED', msg: 'The signature does not verify.' }
  if (!isTimely(body.requestTime, knobs, shownNowMs(world, knobs)))
    return { code: 'REQ_TIME_OVER_TIME', msg: 'requestTime is more than two minutes off.' }
  if (body.memberId !== merchant.payermax.memberId)
    return { code: 'MERCHANT_INVALID', msg: 'The member is not known.' }
  if (body.version !== '1.5' || body.keyVersion !== '1')
    return { code: 'PARAMS_INVALID', msg: 'version must be 1.5 and keyVersion 1.' }
  return merchant
}

function isSigned(call: ApiCall, publicKey: string): boolean {
  const digest = forge.md.sha256.create()
  digest.update(call.body.toString('binary'))
  try {
    return keyOf(publicKey).verify(digest.digest().bytes(), forge.util.decode64(header(call, 'sign')))
  } catch {
    return false
  }
}

function keyOf(text: string): forge.pki.rsa.PublicKey {
  const pem = text.includes('BEGIN') ? text : `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----`
  return forge.pki.publicKeyFromPem(pem) as forge.pki.rsa.PublicKey
}

/** `yyyy-MM-dd'T'HH:mm:ss.SSSXXX`, near enough to now. */
function isTimely(requestTime: JsonValue | undefined, knobs: Knobs, nowMs: number): boolean {
  if (typeof requestTime !== 'string') return false
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(Z|[+-]\d{2}:\d{2})$/.test(requestTime)) return false
  return Math.abs(new Date(requestTime).getTime() - nowMs) <= knobs.payermaxClockWindowMs
}

function fundsAccounts({ fundsAccountNoList }: Fields): Fields {
  const wanted = Array.isArray(fundsAccountNoList) ? fundsAccountNoList : []
  const numbers = Object.keys(ACCOUNTS).filter(no => wanted.length === 0 || wanted.includes(no))
  return {
    fundsAccountInfoList: numbers.map(accountNo => ({
      accountNo,
      accountName: `Account ${accountNo}`,
      accountAlias: 'Sandbox',
    })),
  }
}

function dayEnd(world: World, merchant: Merchant, data: Fields, knobs: Knobs): Fields | Refused {
  const zone = String(data.timezone).toUpperCase()
  const request = data.endDayAccountBalanceQueryReq
  const { inquiryDate } = data
  if (typeof inquiryDate !== 'string' || !isDay(inquiryDate) || !isFields(request))
    return { code: 'PARAMS_INVALID', msg: 'inquiryDate or endDayAccountBalanceQueryReq is missing.' }
  if (!Object.hasOwn(ZONE_MINUTES, zone)) return { code: 'PARAMS_INVALID', msg: 'timezone is UTC or CST.' }
  const shiftMs = ZONE_MINUTES[zone]! * MINUTE_MS
  const local = shownNowMs(world, knobs) + shiftMs
  const closed = dayOf(new Date(local - knobs.payermaxDayCloseHours * 3_600_000))
  if (inquiryDate >= closed || daysBetween(inquiryDate, dayOf(new Date(local))) > DAYS_BACK)
    return { code: 'PARAMS_INVALID', msg: 'inquiryDate is not within the last 90 days.' }
  const currencies = textsOf(request.fundsAccountCurrencyList)
  const numbers = textsOf(request.fundsAccountNoList)
  const beginMs = startOfDay(inquiryDate).getTime() - shiftMs
  const rows = rowsOf(world, merchant, inquiryDate, beginMs, knobs).filter(
    row =>
      (currencies.length === 0 || currencies.includes(row.currency)) &&
      (numbers.length === 0 || numbers.includes(row.fundsAccountNo)),
  )
  return {
    acctTime: knobs.payermaxAcctTime === 'date' ? inquiryDate : endOfDay(inquiryDate, zone),
    [knobs.payermaxZoneKey]: zone,
    endDayAccountBalanceInfoList: rows,
  }
}

function endOfDay(day: Day, zone: string): string {
  return `${addDays(day, 1)}T00:00:00.000${zone === 'CST' ? '+08:00' : '+00:00'}`
}

function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter(entry => typeof entry === 'string') : []
}

type Row = { readonly fundsAccountNo: string; readonly currency: string } & Fields

function rowsOf(world: World, merchant: Merchant, day: Day, beginMs: number, knobs: Knobs): Row[] {
  const rows = Object.entries(ACCOUNTS).flatMap(([fundsAccountNo, currencies]) =>
    currencies.flatMap(currency => {
      const book = payerMaxBook(world, merchant, fundsAccountNo, currency)
      return brokenRow(rowOf(book, fundsAccountNo, beginMs, knobs), day, knobs)
    }),
  )
  const zero = { ...EMPTY, ...figures(0n, 0n, 0n, 0n, { ...knobs, payermaxAmounts: 'integer' }) }
  return knobs.payermaxZeroRows === 'present' ? [...rows, zero] : rows
}

function payerMaxBook(world: World, merchant: Merchant, account: string, currency: string): MovementBook {
  const name = `payermax ${merchant.name} ${account}`
  return { seed: world.seed, name, currency, openedOn: world.openedOn }
}

function rowOf(book: MovementBook, fundsAccountNo: string, beginMs: number, knobs: Knobs): Row {
  const opening = heldAt(book, beginMs)
  let inflow = 0n
  let outflow = 0n
  for (const { units } of movementsOf(book, beginMs, beginMs + DAY_MS)) {
    if (units > 0n) inflow += units
    else outflow -= units
  }
  const closing = opening + inflow - outflow
  return { fundsAccountNo, currency: book.currency, ...figures(opening, inflow, outflow, closing, knobs) }
}

function figures(opening: bigint, inflow: bigint, outflow: bigint, closing: bigint, knobs: Knobs): Fields {
  const base = knobs.payermaxAmounts === 'huge' ? HUGE : 0n
  const number = (units: bigint) => new JsonNumber(amountText(units, knobs))
  return {
    initialBalance: number(opening + base),
    inflowAmount: number(inflow),
    outflowAmount: number(outflow),
    endBalance: number(closing + base),
  }
}

function amountText(units: bigint, { payermaxAmounts }: Knobs): string {
  if (payermaxAmounts !== 'decimals') return units.toString()
  const digits = units.toString().padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** The row as the knobs want it on this day: as it is, absent, doubled, swapped or wrong. */
function brokenRow(row: Row, day: Day, knobs: Knobs): Row[] {
  const breaks = row.currency === knobs.breakCurrency && row.fundsAccountNo === '123456'
  if (!breaks || (knobs.breakDay !== '' && knobs.breakDay !== day)) return [row]
  switch (knobs.breakKind) {
    case 'missing-row':
    case 'vanished-currency':
      return []
    case 'doubled-row':
      return [row, row]
    case 'swapped-flow':
      return [{ ...row, inflowAmount: row.outflowAmount!, outflowAmount: row.inflowAmount! }]
    case 'wrong-total':
      return [
        {
          ...row,
          endBalance: new JsonNumber((BigInt(String(row.endBalance).replace('.', '')) + 1n).toString()),
        },
      ]
    default:
      return [row]
  }
}

/** A success, signed; and everything that can be wrong with one. */
async function accepted(world: World, data: Fields, fault: string, knobs: Knobs): Promise<Reply> {
  if (fault === 'no-answer' || fault === 'http-500') return faultReply(fault)
  if (fault === 'html') return forbiddenPage()
  if (fault === 'system-error')
    return refused(world, { code: 'SYSTEM_ERROR', msg: 'Try again later.' }, knobs)
  const told = fault === 'other-zone' ? { ...data, [knobs.payermaxZoneKey]: 'PST' } : data
  const body = writeJson({ msg: '', code: 'APPLY_SUCCESS', data: told })
  const answer = { status: 200, contentType: 'application/json', code: 'APPLY_SUCCESS', body }
  if (fault === 'unsigned') return answer
  const key = fault === 'bad-sign' ? await world.keys.stranger() : await world.payermaxKey()
  const signed = signedAnswer(answer, key)
  return fault === 'truncated' ? { ...signed, body: body.slice(0, body.length / 2) } : signed
}

async function refused(world: World, { code, msg }: Refused, knobs: Knobs): Promise<Answer> {
  const answer = { status: 200, contentType: 'application/json', code, body: writeJson({ code, msg }) }
  return knobs.payermaxErrorsSigned ? signedAnswer(answer, await world.payermaxKey()) : answer
}

function signedAnswer(answer: Answer, key: SigningKey): Answer {
  return { ...answer, headers: { sign: signPayload(key, answer.body) } }
}

function isFields(value: JsonValue | undefined): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  )
}
