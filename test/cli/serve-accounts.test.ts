import { afterAll, beforeAll, expect, it } from 'vitest'
import { serverOptions } from '../../src/cli/serve.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import { startThreeProviders, type ThreeProviders } from '../support/three-providers.ts'

let three: ThreeProviders
let server: Server
beforeAll(async () => {
  three = await startThreeProviders()
  server = await startServer({
    ...serverOptions(three.daybook),
    host: '127.0.0.1',
    port: 0,
    sweepEveryMs: 60_000,
    daily: false,
  })
})
afterAll(async () => {
  await server.stop()
  await three.stop()
})

async function answerAt(path: string) {
  const answer = await fetch(`${server.url}/callbacks/${path}`, { method: 'POST', body: '{}' })
  return [answer.status, await answer.text()]
}

it('an account that takes no callbacks looks like one that does not exist', async () => {
  const unknown = await answerAt('binance-pay/nobody')
  expect(unknown[0]).toBe(401)
  for (const path of ['payermax/pm', 'onerway/ow', 'binance-pay/bp'])
    expect(await answerAt(path)).toEqual(unknown)
})
