/** The body of a callback, in the field order of the documentation. */
import { writeJson } from '../domain/json.ts'
import type { StoredReport } from './books.ts'
import { userIdOf } from './file-container.ts'
import type { Knobs } from './knobs.ts'
import { hostNowMs, linkTo, type World } from './world.ts'

/** A callback ready to be signed. */
export interface Letter {
  readonly reportId: string | null
  readonly bizType: string
  readonly url: string
  readonly body: string
}

/** The parts of any callback. `bizId` is digits and leaves as a bare number. */
export interface LetterParts {
  readonly bizType: string
  readonly bizId: string
  readonly bizStatus: string
  /** An object is sent as JSON text inside a string, unless `dataAsObject`; a text is sent as it is. */
  readonly data: unknown
  readonly dataAsObject?: boolean
  readonly withoutBizIdStr?: boolean
}

export function letterBody(parts: LetterParts): string {
  const asIs = typeof parts.data === 'string' || parts.dataAsObject === true
  return writeJson({
    bizType: parts.bizType,
    data: asIs ? parts.data : writeJson(parts.data),
    bizIdStr: parts.withoutBizIdStr === true ? undefined : parts.bizId,
    bizId: BigInt(parts.bizId),
    bizStatus: parts.bizStatus,
  })
}

/** Where a merchant's callbacks go; `''` when nobody said. */
export function callbackUrlOf(world: World, merchant: string, knobs: Knobs): string {
  return knobs.callbackUrl || (world.merchants.find(({ name }) => name === merchant)?.callbackUrl ?? '')
}

/** The callback about a report; `reportId` of a stranger's for an id that was never given out. */
export function reportLetter(
  world: World,
  report: StoredReport,
  knobs: Knobs,
  reportId = report.reportId,
): Letter {
  const url = callbackUrlOf(world, report.merchant, knobs)
  const body = letterBody({
    bizType: 'BALANCE',
    bizId: reportId,
    bizStatus: report.knobs.outcome === 'FAILED' ? 'BALANCE_FAIL' : 'BALANCE_SUCCESS',
    data: reportData(world, { ...report, reportId }, knobs, url),
    dataAsObject: knobs.callbackData === 'object',
    withoutBizIdStr: knobs.callbackWithoutBizIdStr,
  })
  return { reportId: reportId === report.reportId ? reportId : null, bizType: 'BALANCE', url, body }
}

function reportData(world: World, report: StoredReport, knobs: Knobs, callbackUrl: string) {
  const failed = report.knobs.outcome === 'FAILED'
  const expiresAtMs = expiryOf(world, report, knobs)
  return {
    downloadType: 'merchant_balance_download_task',
    downloadId: BigInt(report.reportId),
    userId: BigInt(userIdOf(report.merchant)),
    status: statusValue(failed, knobs),
    downloadLink: failed ? '' : linkTo(world, report, expiresAtMs),
    expirationTimestamp: expiresAtMs + report.skewMs,
    createTime: secondText(report.acceptedAtMs + report.skewMs),
    callbackUrl,
  }
}

/** The first link's expiry; counted from now when a redelivery asks for another life of the link. */
function expiryOf(world: World, report: StoredReport, knobs: Knobs): number {
  if (knobs.linkLifeMs === knobsLife(world, report)) return report.linkExpiresAtMs
  return hostNowMs(world) + knobs.linkLifeMs
}

function knobsLife(world: World, report: StoredReport): number {
  return report.overrides.linkLifeMs ?? world.knobs().linkLifeMs
}

/** Documented is the number 2 alone; 3 for a failure is this sandbox's guess. */
function statusValue(failed: boolean, knobs: Knobs): number | string {
  if (knobs.callbackStatus === 'word') return failed ? 'FAILED' : 'SUCCESS'
  const value = failed ? 3 : 2
  return knobs.callbackStatus === 'string' ? String(value) : value
}

function secondText(instantMs: number): string {
  return new Date(instantMs).toISOString().slice(0, 19).replace('T', ' ')
}
