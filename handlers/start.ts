/** The Daybook of this execution environment: settings and secrets are read once, at its cold start. */
import { configure } from '../src/config/configure.ts'
import { type Env, readEnv } from '../src/config/env.ts'
import { type Daybook, wire } from '../src/wiring.ts'
import { type Metrics, metricsOf } from './metrics.ts'

export interface Started extends Daybook {
  readonly metrics: Metrics
  /** Where published days are told of; `undefined`: nowhere. */
  readonly eventBus: string | undefined
}

let started: Promise<Started> | undefined

/** Answers the same Daybook to all; after a start that failed, the next caller starts again. */
export function start(): Promise<Started> {
  started ??= begin(readEnv()).catch(error => {
    started = undefined
    throw error
  })
  return started
}

async function begin(env: Env): Promise<Started> {
  const daybook = await wire(await configure(env), nameOf(env))
  const metrics = metricsOf(daybook.context.clock, env.AWS_LAMBDA_FUNCTION_NAME ?? 'none')
  return { ...daybook, metrics, eventBus: env.DAYBOOK_EVENT_BUS }
}

/** Host and process say nothing here: environments share both. A log stream belongs to one environment. */
function nameOf(env: Env): { processName?: string } {
  const stream = env.AWS_LAMBDA_LOG_STREAM_NAME
  return stream === undefined ? {} : { processName: `${env.AWS_LAMBDA_FUNCTION_NAME}:${stream}` }
}

// The time before the first event is the cheapest there is; a failure comes to light with that event.
start().catch(() => {})
