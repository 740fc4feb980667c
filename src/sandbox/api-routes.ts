/** The three endpoints of Binance Pay that balance reports need. */

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
import type { Knobs } from './knobs.ts'
import { quotaAllows } from './quota.ts'
import { reportStatus } from './report-status.ts'
import { checkCaller, header, isRefusal, type Merchant, type SignedRequest } from './request-checks.ts'
import { hostNowMs, linkTo, pause, shownNowMs, type World } from './world.ts'

export interface ApiCall extends SignedRequest {
  readonly method: string
  /** The sandbox's knobs, under those the call brought in its header. */
  readonly knobs: Knobs
  readonly overrides: Partial<Knobs>
}

/** An answer, or the ways of not giving one. */
export type Reply = Answer | 'reset' | 'no-answer'

/** A call that passed every check on its sender. */
interface KnownCall extends ApiCall {
  readonly merchant: Merchant
  readonly json: JsonValue
}

type Endpoint = (world: World, call: KnownCall, callbacks: Callbacks) => Promise<Reply>

export const ENDPOINTS: Readonly<Record<string, { name: string; answer: Endpoint }>> = {
  '/binancepay/openapi/balance-report': { name: 'balance-report', answer: submit },
  '/binancepay/openapi/balance-report/query': { name: 'balance-report/query', answer: query },
  '/binancepay/openapi/certificates': { name: 'certificates', answer: certificates },
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
  if (fault !== 'none') return faultReply(fault)
  return success(`Your request has been submitted successfully. Your task ID: ${report.reportId}`)
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
  if (world.meetsFault('queryFault', knobs)) return faultReply(knobs.queryFault)
  await pause(world, knobs.queryDelayMs)
  const report = world.books.report(wanted.downloadId)
  const known = report?.merchant === call.merchant.name ? report : undefined
  const body = queryBody(world, known, knobs)
  return knobs.queryShape === 'wrapped' ? success(body) : bare(body)
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
  if (world.meetsFault('certificatesFault', knobs)) return faultReply(knobs.certificatesFault)
  await pause(world, knobs.certificatesDelayMs)
  return success(await world.keys.certificates(knobs))
}

function faultReply(fault: string): Reply {
  if (fault.startsWith('no-answer')) return 'no-answer'
  if (fault.startsWith('reset')) return 'reset'
  return fault.startsWith('html-403') ? forbiddenPage() : serverError()
}
