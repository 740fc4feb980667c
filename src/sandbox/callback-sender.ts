/** Signs callbacks and posts them until they are acknowledged, or the tries are used up. */
import { type Dispatcher, request } from 'undici'
import { JsonNumber, tryParseJson } from '../domain/json.ts'
import type { Delivery } from './books.ts'
import type { Letter } from './callback-letter.ts'
import type { Knobs } from './knobs.ts'
import { signPayload } from './signing-keys.ts'
import { hostNowMs, pause, shownNowMs, type World } from './world.ts'

export interface Sending {
  readonly letter: Letter
  readonly knobs: Knobs
  /** Attempts that a former life of the sandbox has made. */
  readonly attemptsMade: number
  /** Called after each attempt. */
  attempted?(delivery: Delivery): void
}

interface Stamp {
  readonly timestamp: string
  readonly nonce: string
}

/** Delivers a letter, and again until it is acknowledged; rejects when the sandbox stops. */
export async function sendUntilAcknowledged(
  world: World,
  dispatcher: Dispatcher,
  sending: Sending,
): Promise<Delivery[]> {
  const { letter, knobs, attemptsMade } = sending
  const deliveries: Delivery[] = []
  let stamp = newStamp(world, knobs)
  for (let attempt = attemptsMade + 1; attempt <= knobs.callbackRetries + 1; attempt++) {
    if (attempt > attemptsMade + 1) {
      await pause(world, Math.round(knobs.callbackRetryFirstMs * knobs.callbackRetryFactor ** (attempt - 2)))
      if (knobs.callbackRetryIdentity === 'fresh') stamp = newStamp(world, knobs)
    }
    const delivery = await sendOnce(world, dispatcher, letter, knobs, stamp, attempt)
    deliveries.push(delivery)
    sending.attempted?.(delivery)
    if (delivery.outcome === 'acknowledged') break
  }
  return deliveries
}

async function sendOnce(
  world: World,
  dispatcher: Dispatcher,
  letter: Letter,
  knobs: Knobs,
  stamp: Stamp,
  attempt: number,
): Promise<Delivery> {
  const key = knobs.callbackKey === 'right' ? world.keys.active() : await world.keys.stranger()
  const serial = shownSerial(world.keys.active().serial, world, knobs)
  const signature = signPayload(key, `${stamp.timestamp}\n${stamp.nonce}\n${letter.body}\n`)
  const body = knobs.callbackChangedByte ? changeLastDigit(letter.body) : letter.body
  const headers = {
    'content-type': 'application/json;charset=utf-8',
    'BinancePay-Certificate-SN': serial,
    'BinancePay-Nonce': stamp.nonce,
    'BinancePay-Timestamp': stamp.timestamp,
    'BinancePay-Signature': signature,
  }
  const atMs = hostNowMs(world)
  const answer = await post(world, dispatcher, letter.url, headers, body, knobs.callbackTimeoutMs)
  const delivery = { ...letter, ...stamp, ...answer, body, attempt, atMs, serial }
  world.log('callback.delivered', { reportId: letter.reportId, attempt, outcome: answer.outcome })
  return delivery
}

async function post(
  world: World,
  dispatcher: Dispatcher,
  url: string,
  headers: Record<string, string>,
  body: string,
  timeoutMs: number,
): Promise<Pick<Delivery, 'outcome' | 'httpStatus'>> {
  const patience = new AbortController()
  const over = new AbortController()
  world.clock.sleep(timeoutMs, over.signal).then(
    () => patience.abort(),
    () => {},
  )
  const signal = AbortSignal.any([world.stopping, patience.signal])
  try {
    const answer = await request(url, { method: 'POST', dispatcher, headers, body, signal })
    const text = await answer.body.text()
    const acknowledged = answer.statusCode === 200 && isSuccess(text)
    return { outcome: acknowledged ? 'acknowledged' : 'refused', httpStatus: answer.statusCode }
  } catch {
    world.stopping.throwIfAborted()
    return { outcome: patience.signal.aborted ? 'timed-out' : 'unreachable', httpStatus: null }
  } finally {
    over.abort()
  }
}

function isSuccess(text: string): boolean {
  const answer = tryParseJson(text)
  if (typeof answer !== 'object' || answer === null || answer instanceof JsonNumber) return false
  return 'returnCode' in answer && answer.returnCode === 'SUCCESS'
}

function newStamp(world: World, knobs: Knobs): Stamp {
  const instantMs = shownNowMs(world, knobs) + knobs.callbackTimestampOffsetMs
  return { timestamp: instantMs.toString(), nonce: world.random.hex(32) }
}

function shownSerial(serial: string, world: World, knobs: Knobs): string {
  if (knobs.callbackSerial === 'wrong') return world.random.hex(32).toUpperCase()
  return knobs.callbackSerial === 'lower-case' ? serial.toLowerCase() : serial
}

/** Stays valid JSON of the same length, and means something else. */
function changeLastDigit(body: string): string {
  return body.replace(/\d(?=\D*$)/, digit => ((Number.parseInt(digit, 10) + 1) % 10).toString())
}
