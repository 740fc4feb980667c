/** The HTTP server: reads raw bytes, finds the route, sends the answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tryParseJson } from '../domain/json.ts'
import { type Answer, forbiddenPage, refusal, refused } from './answers.ts'
import { type ApiCall, answerApi, ENDPOINTS, type Reply, type Spoilt } from './api-routes.ts'
import type { Callbacks } from './callbacks.ts'
import { answerControl, controlError } from './control-routes.ts'
import { serveFile } from './file-route.ts'
import { type Knobs, readKnobs } from './knobs.ts'
import { answerOnerway, ONERWAY_PATHS } from './onerway-routes.ts'
import { answerPayerMax, PAYERMAX_PATHS } from './payermax-routes.ts'
import { plainValue } from './plain-json.ts'
import { pause, shownNowMs, type World } from './world.ts'

/** Nobody may make the sandbox hold more than this. */
const HARD_LIMIT_BYTES = 8 * 1024 * 1024

/** The server, not yet listening. */
export function createSandboxServer(world: World, callbacks: Callbacks): Server {
  return createServer((req, res) => {
    world.background(
      handle(world, callbacks, req, res).catch(error => {
        res.destroy()
        throw error
      }),
    )
  })
}

async function handle(world: World, callbacks: Callbacks, req: IncomingMessage, res: ServerResponse) {
  const [path = ''] = (req.url ?? '').split('?')
  stampDate(world, res, world.knobs())
  if (/^\/files(-moved)?\//.test(path)) {
    const answer = await serveFile(world, req, res, path)
    world.books.countRequest('files', answer === 'served' ? '200' : answer.code)
    if (answer !== 'served') send(res, answer)
    return
  }
  const body = await readBody(req)
  if (path.startsWith('/sandbox/')) return send(res, await answerControl(world, callbacks, req, path, body))
  const route = routeOf(path)
  const reply: Reply =
    route === undefined ? forbiddenPage() : await api(world, callbacks, req, res, route, body)
  const code = typeof reply === 'string' ? reply : reply.code
  world.books.countRequest(route?.name ?? 'other', code)
  world.log('request.answered', { endpoint: route?.name ?? 'other', code })
  if (reply === 'reset') req.socket.resetAndDestroy()
  else if (reply === 'no-answer') return
  else if (reply.spoilt === undefined) send(res, reply)
  else await sendSpoilt(world, res, reply, reply.spoilt)
}

interface Route {
  readonly name: string
  answer(world: World, call: ApiCall, callbacks: Callbacks): Promise<Reply>
}

/** Each provider has paths of its own, so one server plays them all. */
function routeOf(path: string): Route | undefined {
  const endpoint = Object.hasOwn(ENDPOINTS, path) ? ENDPOINTS[path] : undefined
  if (endpoint !== undefined) {
    const { name, answer } = endpoint
    return { name, answer: (world, call, callbacks) => answerApi(world, answer, call, callbacks) }
  }
  const payermax = PAYERMAX_PATHS.get(path)
  if (payermax !== undefined)
    return { name: `payermax/${payermax}`, answer: (world, call) => answerPayerMax(world, payermax, call) }
  const onerway = ONERWAY_PATHS.get(path)
  if (onerway === undefined) return undefined
  return { name: `onerway/${onerway}`, answer: (world, call) => answerOnerway(world, onerway, call) }
}

async function api(
  world: World,
  callbacks: Callbacks,
  req: IncomingMessage,
  res: ServerResponse,
  route: Route,
  body: Buffer,
): Promise<Reply> {
  let overrides: Partial<Knobs>
  try {
    overrides = readKnobHeader(req.headers['sandbox-knobs'])
  } catch (error) {
    return controlError(error)
  }
  const knobs = { ...world.knobs(), ...overrides }
  stampDate(world, res, knobs)
  if (body.length > HARD_LIMIT_BYTES) return refused(refusal('400104'), knobs)
  const call = { method: req.method ?? '', headers: req.headers, body, knobs, overrides }
  return route.answer(world, call, callbacks)
}

function readKnobHeader(text: string | string[] | undefined): Partial<Knobs> {
  if (typeof text !== 'string') return {}
  const value = tryParseJson(text)
  return readKnobs(value === undefined ? undefined : plainValue(value))
}

/** The Date header shows the sandbox's clock: the only hint a client with a wrong clock has. */
function stampDate(world: World, res: ServerResponse, knobs: Knobs): void {
  res.setHeader('date', new Date(shownNowMs(world, knobs)).toUTCString())
}

/** The bytes as they came; of a body that is far too large only its beginning is kept. */
async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    if (size <= HARD_LIMIT_BYTES) chunks.push(chunk)
    size += chunk.length
  }
  return Buffer.concat(chunks)
}

const DRIP_EVERY_MS = 100

async function sendSpoilt(world: World, res: ServerResponse, answer: Answer, how: Spoilt): Promise<void> {
  const body = Buffer.from(answer.body)
  const half = body.subarray(0, body.length >> 1)
  const length = how === 'short-length' ? half.length : body.length
  res.writeHead(answer.status, { 'content-type': answer.contentType, 'content-length': length })
  if (how === 'short-length') return void res.end(half)
  if (how === 'half-body') return void res.write(half, () => res.destroy())
  for (const byte of body) {
    if (res.destroyed) return
    res.write(Buffer.of(byte))
    await pause(world, DRIP_EVERY_MS)
  }
  res.end()
}

function send(res: ServerResponse, answer: Answer): void {
  res.statusCode = answer.status
  res.setHeader('content-type', answer.contentType)
  for (const [name, value] of Object.entries(answer.headers ?? {})) res.setHeader(name, value)
  res.setHeader('content-length', Buffer.byteLength(answer.body))
  res.end(answer.body)
}
