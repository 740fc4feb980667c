/** What the tiny provider talks to: it holds euros, moves some every hour, and lets one contract be debited. */
import { bytesOf, startServer, type TestServer } from '../../support/test-http.ts'

export interface TinyServer extends Pick<TestServer, 'url' | 'stop'> {
  /** Whether it is away: everything is answered 503. */
  away: boolean
  /** Debits and notices that were taken, by what they are. */
  readonly effects: { readonly kind: string; readonly id: string }[]
}

const HOUR_MS = 3_600_000

export async function startTiny(): Promise<TinyServer> {
  const effects: TinyServer['effects'] = []
  const reports = new Set<string>()
  const server = await startServer(async (request, response) => {
    const asked = JSON.parse((await bytesOf(request)).toString() || '{}') as Record<string, string>
    if (tiny.away) return void response.writeHead(503).end()
    response.end(answerOf(request.url ?? '', asked))
  })

  function answerOf(path: string, asked: Record<string, string>): string {
    switch (path) {
      case '/held':
        return '{"coin":"EUR","held":12.340000000000000001}'
      case '/moved':
        return JSON.stringify(hours(Date.parse(asked.from!), Date.parse(asked.to!)))
      case '/contract':
        return asked.id === '7' ? '{"limit":"10"}' : '{}'
      case '/notice':
      case '/debit':
        if (effects.every(({ kind, id }) => kind !== path || id !== asked.id))
          effects.push({ kind: path, id: asked.id! })
        return `{"order":"order ${asked.id}"}`
      case '/report':
        reports.add(`${asked.start}${asked.end}`.replaceAll('-', ''))
        return `{"id":"${`${asked.start}${asked.end}`.replaceAll('-', '')}"}`
      default:
        return JSON.stringify({ known: reports.has(asked.id!) })
    }
  }

  const tiny: TinyServer = { url: server.url, stop: server.stop, away: false, effects }
  return tiny
}

/** Every full hour within half-open bounds. */
function hours(fromMs: number, toMs: number): { at: string; by: string }[] {
  const found: { at: string; by: string }[] = []
  for (let ms = Math.ceil(fromMs / HOUR_MS) * HOUR_MS; ms < toMs; ms += HOUR_MS)
    found.push({ at: new Date(ms).toISOString(), by: '0.000000000000000001' })
  return found
}
