/** The endpoints of Binance Pay. */

import type { JsonValue } from '../domain/json.ts'
import {
  type Answer,
  bare,
  forbiddenPage,
  gatewayError,
  refusal,
  refused,
  serverError,
  success,
} from './answers.ts'
import { checkJson, checkQueryRequest, checkReportRequest, type ReportRequest } from './body-checks.ts'
import type { StoredReport } from './books.ts'
import type { Callbacks } from './callbacks.ts'
import { contractQuery, payApply, payNotify } from './debit-routes.ts'
import type { Knobs } from './knobs.ts'
import { quotaAllows } from './quota.ts'
import { reportStatus } from './report-status.ts'
import { checkCaller, header, isRefusal, type Merchant, type SignedRequest } from './request-checks.ts'
import { walletBalanceV1, walletBalanceV2 } from './wallet-balance-routes.ts'
import { hostNowMs, linkTo, pause, shownNowMs, type World } from './world.ts'

export interface ApiCall extends SignedRequest {
  readonly method: string
  /** The sandbox's knobs, under those the call brought in its header. */
  readonly knobs: Knobs
  readonly overrides: Partial<Knobs>
}

/** An answer, or the ways of not giving one. */
export type Reply = (Answer & { readonly spoilt?: Spoilt }) | 'reset' | 'no-answer'

/** How an answer that was right goes wrong on its way. */
export type Spoilt = 'half-body' | 'short-length' | 'drip'

/** A call that passed every check on its sender. */
export interface KnownCall extends ApiCall {
  readonly merchant: Merchant
  readonly json: JsonValue
}

export type Endpoint = (world: World, call: KnownCall, callbacks: Callbacks) => Promise<Reply>

export const ENDPOINTS: Readonly<Record<string, { name: string; answer: Endpoint }>> = {
  '/binancepay/openapi/balance-report': { name: 'balance-report', answer: submit },
  '/binancepay/openapi/balance-report/query': { name: 'balance-report/query', answer: query },
  '/binancepay/openapi/certificates': { name: 'certificates', answer: certificates },
  '/binancepay/openapi/balance': { name: 'balance', answer: walletBalanceV1 },
  '/binancepay/openapi/v2/balance': { name: 'v2/balance', answer: walletBalanceV2 },
  '/binancepay/openapi/direct-debit/contract/query': { name: 'contract/query', answer: contractQuery },
  '/binancepay/openapi/pay/notify': { name: 'pay/notify', answer: payNotify },
  '/binancepay/openapi/pay/apply': { name: 'pay/apply', answer: payApply },
}

/** Runs the checks in the documented order, then the endpoint. */
export async function answerApi(
  world: World,
  endpoint: Endpoint,
  call: ApiCall,
  callbacks: Callbacks,
): Promise<Reply> {
  const { knobs } = call
  const isJson = /^application\/json\b/i.test(header(call, 'content-type'))
  if (call.method !== 'POST' || !isJson || call.body.length === 0) return gatewayError(knobs)
  const merchant = checkCaller(call, world.merchants, knobs, shownNowMs(world, knobs))
  if (isRefusal(merchant)) return refused(merchant, knobs)
  const isNewNonce = world.useNonce(merchant.name, header(call, 'binancepay-nonce'))
  if (knobs.nonceReplay === 'refuse' && !isNewNonce) return refused(refusal('400002'), knobs)
  const body = checkJson(call.body, knobs)
  if (isRefusal(body)) return refused(body, knobs)
  return endpoint(world, { ...call, merchant, json: body.json }, callbacks)
}

async function submit(world: World, call: KnownCall, callbacks: Callbacks): Promise<Reply> {
  const { knobs } = call
  const wanted = checkReportRequest(call.json, knobs, shownNowMs(world, knobs))
  if (isRefusal(wanted)) return refused(wanted, knobs)
  const fault = world.meetsFault('submitFault', knobs) ? knobs.submitFault : 'none'
  if (fault.endsWith('-before-effect')) return faultReply(fault)
  const report = acceptReport(world, call, wanted)
  if (report === undefined) {
    return refused(refusal(knobs.quotaRefusalCode, 'The monthly limit of reports is reached.'), knobs)
  }
  if (knobs.callbackBeforeAnswer) await callbacks.sendNow(report)
  else callbacks.schedule(report)
  await pause(world, knobs.submitDelayMs)
  const answer = success(`Your request has been submitted successfully. Your task ID: ${report.reportId}`)
  return fault === 'none' ? answer : faultReply(fault, answer)
}

/** Counts and records a report, or answers `undefined` when the quota is used up. Nothing can come between. */
function acceptReport(world: World, call: KnownCall, wanted: ReportRequest): StoredReport | undefined {
  const { knobs, merchant, overrides } = call
  const acceptedAtMs = hostNowMs(world)
  if (!quotaAllows(merchant.name, world.books.reports(), knobs, acceptedAtMs)) return undefined
  const readyAtMs = acceptedAtMs + (knobs.callbackBeforeAnswer ? 0 : knobs.processingMs)
  const report: StoredReport = {
    reportId: world.mintId(shownNowMs(world, knobs)),
    merchant: merchant.name,
    ...wanted,
    acceptedAtMs,
    readyAtMs,
    linkExpiresAtMs: readyAtMs + knobs.linkLifeMs,
    skewMs: knobs.clockSkewMs,
    knobs,
    overrides,
    callback: { attempts: 0, settled: false, acknowledged: false },
    fetches: 0,
  }
  world.books.save(report)
  world.log('report.accepted', { reportId: report.reportId, merchant: merchant.name })
  return report
}

async function query(world: World, call: KnownCall): Promise<Reply> {
  const { knobs } = call
  const wanted = checkQueryRequest(call.json)
  if (isRefusal(wanted)) return refused(wanted, knobs)
  const fault = world.meetsFault('queryFault', knobs) ? knobs.queryFault : 'none'
  await pause(world, knobs.queryDelayMs)
  const report = world.books.report(wanted.downloadId)
  const known = report?.merchant === call.merchant.name ? report : undefined
  const body = queryBody(world, known, knobs)
  const answer = knobs.queryShape === 'wrapped' ? success(body) : bare(body)
  return fault === 'none' ? answer : faultReply(fault, answer)
}

function queryBody(world: World, report: StoredReport | undefined, knobs: Knobs) {
  if (report === undefined || knobs.queryAnswer === 'not-exist') {
    return { exist: false, downloadUrl: '', status: null }
  }
  if (knobs.queryAnswer === 'null-status') return { exist: true, downloadUrl: '', status: null }
  const nowMs = hostNowMs(world)
  const status = reportStatus(report, nowMs)
  const isMade = report.knobs.outcome === 'SUCCESS' && status !== 'PROCESSING'
  const renewsAt = report.linkExpiresAtMs + knobs.freshLinkAfterExpiredMs
  const isRenewed = knobs.freshLinkAfterExpiredMs > 0 && nowMs >= renewsAt
  if (isMade && (knobs.freshLinkOnQuery || isRenewed)) {
    return { exist: true, downloadUrl: linkTo(world, report, nowMs + knobs.linkLifeMs), status: 'SUCCESS' }
  }
  const downloadUrl = status === 'SUCCESS' ? linkTo(world, report, report.linkExpiresAtMs) : ''
  return { exist: true, downloadUrl, status }
}

async function certificates(world: World, { knobs }: KnownCall): Promise<Reply> {
  const fault = world.meetsFault('certificatesFault', knobs) ? knobs.certificatesFault : 'none'
  await pause(world, knobs.certificatesDelayMs)
  const answer = success(await world.keys.certificates(knobs))
  return fault === 'none' ? answer : faultReply(fault, answer)
}

const SPOILT: readonly Spoilt[] = ['half-body', 'short-length', 'drip']

/** What a knob's fault comes to; `answer` is what it spoils on its way, where there is one. */
export function faultReply(fault: string, answer?: Answer): Reply {
  const spoilt = SPOILT.find(kind => fault.startsWith(kind))
  if (spoilt !== undefined && answer !== undefined) return { ...answer, spoilt }
  if (fault.startsWith('no-answer')) return 'no-answer'
  if (fault.startsWith('reset')) return 'reset'
  return fault.startsWith('html-403') ? forbiddenPage() : serverError()
}
