/** Tells open pages that something has changed, as server-sent events. */
import express, { type Router } from 'express'
import type { DeskParts } from './desk.ts'
import { accountIn } from './query.ts'

export interface LiveRoutes {
  readonly router: Router
  stop(): void
}

/** Each look lists a few prefixes of the store, which some stores charge for. */
const LOOK_EVERY_MS = 2_000

/** Proxies close what is silent for long. */
const SILENT_LOOKS = 8

/** More open pages than this are told to come back later. */
const MOST_OPEN = 100

export function liveRoutes({ context, book }: DeskParts): LiveRoutes {
  const stopping = new AbortController()
  let open = 0
  const router = express.Router()
  router.get('/live', async (request, response) => {
    if (open >= MOST_OPEN) return void response.status(503).set('retry-after', '30').end()
    const account = accountIn(book, request.query)
    open++
    const gone = new AbortController()
    const end = () => gone.abort()
    stopping.signal.addEventListener('abort', end)
    response.on('close', end)
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    let told = ''
    try {
      for (let looks = 0; !gone.signal.aborted; looks++) {
        const version = await account.version().catch(() => told)
        if (version !== told) response.write(`event: change\ndata: ${version}\n\n`)
        else if (looks % SILENT_LOOKS === 0) response.write(': still here\n\n')
        told = version
        await context.clock.sleep(LOOK_EVERY_MS, gone.signal).catch(() => {})
      }
    } finally {
      open--
      stopping.signal.removeEventListener('abort', end)
      response.end()
    }
  })
  return { router, stop: () => stopping.abort() }
}
