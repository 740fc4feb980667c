import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Response } from 'express'
import { expect, it } from 'vitest'
import { send } from '../../src/server/desk/downloads.ts'

it('sends a long file at the pace of a slow reader, and waits with no more listeners than a short one', async () => {
  const pieces = 200
  const piece = new Uint8Array(256 * 1024)
  let most = 0
  let waits = 0
  async function* bytes(response: ServerResponse) {
    for (let sent = 0; sent < pieces; sent++) {
      most = Math.max(most, response.listenerCount('close'))
      yield piece
    }
  }
  const server = createServer((_request, response) => {
    const { write } = response
    response.write = ((...args: Parameters<typeof write>) => {
      const goesOn = write.apply(response, args)
      if (!goesOn) waits++
      return goesOn
    }) as typeof write
    void send(response as Response, bytes(response))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    let length = 0
    for await (const chunk of answer) length += chunk.length
    expect(length).toBe(pieces * piece.length)
    expect(waits).toBeGreaterThan(20)
    expect(most).toBeLessThan(10)
  } finally {
    server.close()
  }
})
