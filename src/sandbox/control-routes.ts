/** The sandbox's own routes, for other processes on this machine: its books and its knobs. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { DaybookError } from '../domain/errors.ts'
import { writeJson } from '../domain/json.ts'
import { type Answer, forbiddenPage } from './answers.ts'
import type { Callbacks } from './callbacks.ts'
import { readKnobs } from './knobs.ts'
import { parsePlainJson } from './plain-json.ts'
import type { World } from './world.ts'

const redeliverSchema = z.strictObject({
  reportId: z.string(),
  overrides: z.unknown().optional(),
})

const deliverSchema = z.strictObject({
  merchant: z.string().optional(),
  bizType: z.string().optional(),
  bizId: z.string().regex(/^\d+$/).optional(),
  bizStatus: z.string().optional(),
  data: z.unknown().optional(),
  dataAsObject: z.boolean().optional(),
  withoutBizIdStr: z.boolean().optional(),
  rawBody: z.string().optional(),
  overrides: z.unknown().optional(),
})

type Control = (world: World, callbacks: Callbacks, input: unknown) => unknown

const ROUTES: Readonly<Record<string, Control>> = {
  'GET /sandbox/books': world => world.books.snapshot(),
  'GET /sandbox/knobs': world => world.knobs(),
  'PUT /sandbox/knobs': (world, _callbacks, input) => {
    world.setKnobs(readKnobs(input))
    return world.knobs()
  },
  'POST /sandbox/rotate-key': async world => ({ serial: (await world.keys.rotate(world.knobs())).serial }),
  'POST /sandbox/redeliver': (_world, callbacks, input) => {
    const { reportId, overrides } = redeliverSchema.parse(input)
    return callbacks.redeliver(reportId, readKnobs(overrides ?? {}))
  },
  'POST /sandbox/deliver': (_world, callbacks, input) => {
    const { overrides, ...parts } = deliverSchema.parse(input)
    return callbacks.deliver({ ...definedOnly(parts), overrides: readKnobs(overrides ?? {}) })
  },
}

/** Answers a control call; a page like any wrong path's when it does not come from this machine. */
export async function answerControl(
  world: World,
  callbacks: Callbacks,
  req: IncomingMessage,
  path: string,
  body: Buffer,
): Promise<Answer> {
  const control = ROUTES[`${req.method} ${path}`]
  if (control === undefined || !isLoopback(req.socket.remoteAddress ?? '')) return forbiddenPage()
  try {
    const input = body.length === 0 ? {} : parsePlainJson(body.toString('utf8'))
    return controlAnswer(200, await control(world, callbacks, input))
  } catch (error) {
    return controlError(error)
  }
}

/** A mistake of whoever steers the sandbox, in words. */
export function controlError(error: unknown): Answer {
  const isMistake =
    error instanceof DaybookError || error instanceof SyntaxError || error instanceof z.ZodError
  if (!isMistake) throw error
  return controlAnswer(400, { error: error.message })
}

function controlAnswer(status: number, body: unknown): Answer {
  return { status, contentType: 'application/json', body: writeJson(body ?? null), code: `control-${status}` }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as never
}
