/** Which callbacks are due when, and what of them must be remembered. */
import { Agent } from 'undici'
import { DaybookError } from '../domain/errors.ts'
import type { Delivery, StoredReport } from './books.ts'
import { callbackUrlOf, type LetterParts, letterBody, reportLetter } from './callback-letter.ts'
import { sendUntilAcknowledged } from './callback-sender.ts'
import type { Knobs } from './knobs.ts'
import { hostNowMs, knobsFor, pause, type World } from './world.ts'

/** Any callback, signed as a real one: for other kinds of events, or for bodies that no kind has. */
export interface CustomCallback extends Partial<LetterParts> {
  /** The first merchant when left out. */
  readonly merchant?: string
  /** Sent as it is, instead of the parts. */
  readonly rawBody?: string
  readonly overrides?: Partial<Knobs>
}

export interface Callbacks {
  /** Sends a report's callback when it is due. */
  schedule(report: StoredReport): void
  /** Sends a report's callback now; resolves after its first attempt, retries go on behind. */
  sendNow(report: StoredReport): Promise<void>
  /** Sends a report's callback once more; resolves when it is acknowledged or given up. */
  redeliver(reportId: string, overrides?: Partial<Knobs>): Promise<Delivery[]>
  deliver(callback: CustomCallback): Promise<Delivery[]>
  close(): Promise<void>
}

export function startCallbacks(world: World): Callbacks {
  const dispatcher = new Agent({ keepAliveTimeout: 1000 })

  async function deliverReport(
    report: StoredReport,
    knobs: Knobs,
    afterAttempt?: (delivery: Delivery) => void,
  ): Promise<Delivery[]> {
    const letter = reportLetter(world, report, knobs)
    if (letter.url === '') return []
    if (knobs.callbackForUnknownId) await deliverStray(report, knobs)
    const send = () =>
      sendUntilAcknowledged(world, dispatcher, {
        letter,
        knobs,
        attemptsMade: report.callback.settled ? 0 : report.callback.attempts,
        attempted: delivery => {
          world.books.addDelivery(delivery)
          afterAttempt?.(delivery)
        },
      })
    return (await Promise.all(Array.from({ length: knobs.callbackCopies }, send))).flat()
  }

  async function deliverStray(report: StoredReport, knobs: Knobs): Promise<void> {
    const letter = reportLetter(world, report, knobs, world.mintId(report.acceptedAtMs + report.skewMs))
    const once = { ...knobs, callbackRetries: 0 }
    const sent = await sendUntilAcknowledged(world, dispatcher, { letter, knobs: once, attemptsMade: 0 })
    sent.forEach(world.books.addDelivery)
  }

  /** The callback that follows from a report; what it comes to is remembered. */
  async function deliverDue(report: StoredReport, afterAttempt = () => {}): Promise<void> {
    const knobs = knobsFor(world, report)
    if (!knobs.callbackLost) {
      await deliverReport(report, knobs, delivery => {
        remember(world, report.reportId, { attempts: delivery.attempt, acknowledged: isDone(delivery) })
        afterAttempt()
      })
    }
    remember(world, report.reportId, { settled: true })
  }

  return {
    schedule: report => {
      if (report.callback.settled || !isTold(report)) return
      const due = report.readyAtMs + knobsFor(world, report).callbackDelayMs
      world.background(pause(world, due - hostNowMs(world)).then(() => deliverDue(report)))
    },
    sendNow: report =>
      new Promise(resolve => {
        if (isTold(report)) world.background(deliverDue(report, resolve).finally(resolve))
        else resolve()
      }),
    redeliver: (reportId, overrides = {}) => {
      const report = world.books.report(reportId)
      if (report === undefined) throw new DaybookError('not-found', `There is no report ${reportId}.`)
      const again = { ...report, callback: { attempts: 0, settled: true, acknowledged: false } }
      return deliverReport(again, { ...knobsFor(world, report), ...overrides })
    },
    deliver: async ({ merchant = world.merchants[0]!.name, rawBody, overrides = {}, ...parts }) => {
      const { bizType = 'PAY', bizStatus = `${bizType}_SUCCESS`, data = {} } = parts
      const bizId = parts.bizId ?? world.mintId(hostNowMs(world))
      const knobs = { ...world.knobs(), ...overrides }
      const letter = {
        reportId: null,
        bizType,
        url: callbackUrlOf(world, merchant, knobs),
        body: rawBody ?? letterBody({ ...parts, bizType, bizId, bizStatus, data }),
      }
      const attempted = world.books.addDelivery
      return sendUntilAcknowledged(world, dispatcher, { letter, knobs, attemptsMade: 0, attempted })
    },
    close: () => dispatcher.destroy(),
  }
}

/** Whether the merchant is told at all how the report ended. */
function isTold({ knobs }: StoredReport): boolean {
  return knobs.outcome === 'SUCCESS' || (knobs.outcome === 'FAILED' && knobs.failedCallback)
}

function isDone(delivery: Delivery): boolean {
  return delivery.outcome === 'acknowledged'
}

function remember(world: World, reportId: string, news: Partial<StoredReport['callback']>): void {
  const report = world.books.report(reportId)
  if (report === undefined) return
  const before = report.callback
  world.books.save({
    ...report,
    callback: {
      attempts: Math.max(before.attempts, news.attempts ?? 0),
      settled: before.settled || news.settled === true,
      acknowledged: before.acknowledged || news.acknowledged === true,
    },
  })
}
