/**
 * One server under load, in a process of its own: `receive-server.ts KIND FOLDER CERTIFICATES-URL`.
 *
 * The hand-written ones do what a careful person would write for this one job: read the raw body, verify the
 * signature over it with a cached key, make the record durable under its own name, answer. Their durable create
 * is the one that a folder store needs: a temporary file, flushed; a link that only one can make; the folder
 * flushed, because the name must outlive a power cut too.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { link, open, rename, unlink } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import getRawBody from 'raw-body'
import { loadConfig } from '../../src/config/config.ts'
import { createApp } from '../../src/server/app.ts'
import { wire } from '../../src/wiring.ts'
import type { ServerKind } from './receive-kinds.ts'

const [kind = '', folder = '', certificatesUrl = ''] = process.argv.slice(2)
const ACCEPTED = '{"returnCode":"SUCCESS","returnMessage":null}'
const REFUSED = '{"returnCode":"FAIL","returnMessage":null}'
const LIMIT = 256 * 1024

type Keep = (headers: IncomingHttpHeaders, body: Buffer) => Promise<void>

const keys = await fetchKeys()
mkdirSync(folder, { recursive: true })

async function fetchKeys(): Promise<Map<string, KeyObject>> {
  const answer = (await (await fetch(certificatesUrl)).json()) as {
    data: Array<{ certSerial: string; certPublic: string }>
  }
  return new Map(answer.data.map(entry => [entry.certSerial, createPublicKey(entry.certPublic)]))
}

function isGenuine(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const text = (name: string) => String(headers[`binancepay-${name}`] ?? '')
  const key = keys.get(text('certificate-sn'))
  if (key === undefined) return false
  const payload = Buffer.concat([
    Buffer.from(`${text('timestamp')}\n${text('nonce')}\n`),
    body,
    Buffer.from('\n'),
  ])
  return verify('RSA-SHA256', payload, key, Buffer.from(text('signature'), 'base64'))
}

function recordOf(headers: IncomingHttpHeaders, body: Buffer): { name: string; text: string } {
  const sha256 = createHash('sha256').update(body).digest('hex')
  const { bizType, bizIdStr } = JSON.parse(body.toString()) as { bizType: string; bizIdStr: string }
  const record = {
    kind: bizType,
    id: bizIdStr,
    receivedAt: new Date().toISOString(),
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('binancepay-'))),
    bodyBase64: body.toString('base64'),
    bodySha256: sha256,
  }
  return { name: `${bizType}-${bizIdStr}-${sha256.slice(0, 16)}`, text: JSON.stringify(record, null, 2) }
}

async function flushFolder(): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync()
  await handle.close()
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx')
  await handle.writeFile(text)
  await handle.sync()
  await handle.close()
}

let temporaries = 0

/** Create-once, and durable with its name. */
const create: Keep = async (headers, body) => {
  const { name, text } = recordOf(headers, body)
  const temporary = join(folder, `.${++temporaries}`)
  await writeFlushed(temporary, text)
  await link(temporary, join(folder, name)).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  await flushFolder()
  await unlink(temporary)
}

/** What is usually written: the bytes are durable, their name may not be, and the last of two wins. */
const flushAndRename: Keep = async (headers, body) => {
  const { name, text } = recordOf(headers, body)
  const temporary = join(folder, `.${++temporaries}`)
  await writeFlushed(temporary, text)
  await rename(temporary, join(folder, name))
}

const keepNothing: Keep = async () => {}

async function answer(
  { headers }: IncomingMessage,
  body: Buffer,
  { keep, verified }: { keep: Keep; verified: boolean },
): Promise<[number, string]> {
  if (verified && !isGenuine(headers, body)) return [401, REFUSED]
  await keep(headers, body)
  return [200, ACCEPTED]
}

function bare(keep: Keep, verified = true) {
  return createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', async () => {
      const [status, text] = await answer(request, Buffer.concat(chunks), { keep, verified })
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length })
      response.end(text)
    })
  })
}

function withExpress(keep: Keep) {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.post('/callbacks/:provider/:account', async (request, response) => {
    const body = await getRawBody(request, {
      length: request.headers['content-length'] ?? null,
      limit: LIMIT,
    })
    const [status, text] = await answer(request, body, { keep, verified: true })
    response.status(status).type('application/json').send(text)
  })
  return createServer(app)
}

/** The real thing, with its log at the level it has by itself. */
async function daybook() {
  const loaded = loadConfig({
    DAYBOOK_STORE: folder,
    BINANCE_PAY_BASE_URL: certificatesUrl,
    BINANCE_PAY_API_KEY: 'bench',
    BINANCE_PAY_SECRET_KEY: 'bench',
  })
  const { context, accounts } = await wire(loaded)
  const options = { context, accounts, maxBytes: LIMIT, onReport: () => {}, onReceive: () => {} }
  return createServer(createApp(options))
}

const KINDS: Record<ServerKind, () => ReturnType<typeof bare> | Promise<ReturnType<typeof bare>>> = {
  daybook,
  'express create': () => withExpress(create),
  'node create': () => bare(create),
  'express rename': () => withExpress(flushAndRename),
  'node rename': () => bare(flushAndRename),
  'express verify': () => withExpress(keepNothing),
  'node verify': () => bare(keepNothing),
  'node nothing': () => bare(keepNothing, false),
}

const server = await KINDS[kind as ServerKind]()
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
