/** Binance Pay's direct debits: the contract, the notice, and the debit that moves money. */
import { readAmount } from '../domain/amount.ts'
import { JsonNumber, type JsonValue } from '../domain/json.ts'
import { type Refusal, refusal, refused, success } from './answers.ts'
import { faultReply, type KnownCall, type Reply } from './api-routes.ts'
import { type Fields, fieldsOf, isEmpty } from './body-checks.ts'
import { CONTRACTS, type DebitEntry, type SandboxContract } from './debit-book.ts'
import { javaDecimal } from './number-text.ts'
import { isRefusal } from './request-checks.ts'
import { hostNowMs, shownNowMs, type World } from './world.ts'

const FREEZE_MS = 24 * 3_600_000
const EIGHT_DECIMALS = 10n ** 10n

export async function contractQuery(_world: World, { json, knobs }: KnownCall): Promise<Reply> {
  const { contractId } = fieldsOf(json)
  const id = contractId instanceof JsonNumber ? contractId.text : contractId
  if (typeof id !== 'string' || id === '') return refused(refusal('400100'), knobs)
  const contract = CONTRACTS.find(known => known.contractId === id)
  if (contract === undefined) return refused(refusal('406207'), knobs)
  return success({
    bizStatus: contract.bizStatus,
    contractId: new JsonNumber(contract.contractId),
    singleUpperLimit: new JsonNumber(javaDecimal(contract.limitUnits)),
    currency: 'USDT',
    openUserId: '1211HS10K81f4273ac031',
  })
}

export async function payNotify(world: World, call: KnownCall): Promise<Reply> {
  const { knobs, merchant } = call
  const fields = fieldsOf(call.json)
  const asked = checkDebit(fields, 'estimatedAmount')
  if (isRefusal(asked)) return refused(asked, knobs)
  if (knobs.debitRefusal !== '') return refused(refusal(knobs.debitRefusal), knobs)
  const fault = world.meetsFault('debitFault', knobs) ? knobs.debitFault : 'none'
  if (fault.endsWith('-before-effect')) return faultReply(fault)
  const entry = take(world, call, 'notice', asked)
  if (fault !== 'none') return faultReply(fault)
  return success({
    merchantRequestId: entry.requestId,
    orderId: entry.orderId,
    transactionTime: new JsonNumber((entry.atMs + knobs.clockSkewMs).toString()),
  })

  function take(
    { debits, mintId }: World,
    { knobs }: KnownCall,
    kind: DebitEntry['kind'],
    { contract, requestId, amount }: Debit,
  ) {
    const known = debits.find(kind, merchant.name, requestId)
    if (known !== undefined) return known
    const entry: DebitEntry = {
      ...{ kind, requestId, amount, merchant: merchant.name, contractId: contract.contractId },
      orderId: mintId(shownNowMs(world, knobs)),
      atMs: hostNowMs(world),
    }
    debits.add(entry)
    return entry
  }
}

export async function payApply(world: World, { knobs, merchant, json }: KnownCall): Promise<Reply> {
  const fields = fieldsOf(json)
  const asked = checkDebit(fields, 'amount')
  if (isRefusal(asked)) return refused(asked, knobs)
  if (isEmpty(fields.productName) || String(fields.productName).length > 256)
    return refused(refusal('400100', 'productName is missing or malformed.'), knobs)
  const noticed = checkNotice(world, merchant.name, fields.preBizId, asked.contract)
  if (noticed !== undefined) return refused(noticed, knobs)
  const fault = world.meetsFault('debitFault', knobs) ? knobs.debitFault : 'none'
  if (fault.endsWith('-before-effect')) return faultReply(fault)
  const known = world.debits.find('debit', merchant.name, asked.requestId)
  const entry: DebitEntry = known ?? {
    ...{ kind: 'debit', requestId: asked.requestId, amount: asked.amount, merchant: merchant.name },
    contractId: asked.contract.contractId,
    orderId: world.mintId(shownNowMs(world, knobs)),
    atMs: hostNowMs(world),
  }
  if (known === undefined) world.debits.add(entry)
  if (fault !== 'none') return faultReply(fault)
  return success({
    orderId: entry.orderId,
    prepayId: entry.orderId,
    merchantRequestId: entry.requestId,
    appliedTime: new JsonNumber((entry.atMs + knobs.clockSkewMs).toString()),
    status: 'INIT',
  })
}

interface Debit {
  readonly contract: SandboxContract
  readonly requestId: string
  readonly amount: string
}

/** The checks that notices and debits share: missing, then length, then characters, then values. */
function checkDebit(fields: Fields, amountName: 'amount' | 'estimatedAmount'): Debit | Refusal {
  const { merchantRequestId, tradeMode, bizId, currency, subMerchantId } = fields
  const missing = ['merchantRequestId', 'tradeMode', 'currency'].find(name => isEmpty(fields[name]))
  if (missing !== undefined)
    return refusal('400100', `Mandatory parameter ${missing} is missing or malformed.`)
  if (!(bizId instanceof JsonNumber)) return refusal('400100', 'bizId must be a number.')
  const requestId = merchantRequestId as string
  if (requestId.length > 32) return refusal('400101', 'merchantRequestId has at most 32 characters.')
  if (!/^[A-Za-z0-9]+$/.test(requestId)) return refusal('400103', 'merchantRequestId has illegal characters.')
  if (subMerchantId !== undefined && textOf(subMerchantId).length > 19)
    return refusal('400101', 'subMerchantId has at most 19 characters.')
  if (tradeMode !== 'DIRECT_DEBIT') return refusal('400102', 'tradeMode must be DIRECT_DEBIT.')
  if (currency !== 'USDT') return refusal('400102', 'currency must be USDT.')
  const contract = CONTRACTS.find(({ contractId }) => contractId === bizId.text)
  if (contract === undefined) return refusal('406207')
  if (contract.bizStatus !== 'CONTRACT_SIGNED') return refusal('406212')
  const amount = fields[amountName]
  if (!(amount instanceof JsonNumber)) return refusal('400100', `${amountName} must be a number.`)
  const scaled = readAmount(amount.text)
  if (typeof scaled !== 'bigint' || scaled <= 0n || scaled % EIGHT_DECIMALS !== 0n)
    return refusal('400102', `${amountName} must be above zero with at most 8 decimals.`)
  if (scaled / EIGHT_DECIMALS > contract.limitUnits)
    return refusal('400102', `${amountName} exceeds the singleUpperLimit of the contract.`)
  return { contract, requestId, amount: amount.text }
}

/** A debit follows a notice about the same contract, a day later. */
function checkNotice(
  world: World,
  merchant: string,
  preBizId: JsonValue | undefined,
  { contractId }: SandboxContract,
): Refusal | undefined {
  if (!(preBizId instanceof JsonNumber)) return refusal('400100', 'preBizId must be a number.')
  const notice = world.debits.notice(merchant, preBizId.text)
  if (notice === undefined || notice.contractId !== contractId) return refusal('400202', 'Order not found.')
  const open = hostNowMs(world) - notice.atMs >= FREEZE_MS
  return open ? undefined : refusal('400102', 'The debit is frozen for 24 hours after its notice.')
}

function textOf(value: JsonValue): string {
  return value instanceof JsonNumber ? value.text : String(value)
}
