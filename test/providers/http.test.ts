import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { Agent } from 'undici'
import { afterAll, describe, expect, it } from 'vitest'
import { createHttp, type HttpAnswer } from '../../src/providers/http.ts'
import { bytesOf, closedPort, startServer, startTlsServer } from '../support/test-http.ts'
import { selfSigned } from './tls-identity.ts'

const agent = new Agent()
afterAll(() => agent.close())

const TIMEOUT_MS = 200

function post(
  url: string,
  changed: { dispatcher?: Agent; limit?: number; headers?: Record<string, string> } = {},
) {
  const { dispatcher = agent, limit = 1000, headers = { 'x-one': '1' } } = changed
  const http = createHttp({ dispatcher, timeoutMs: TIMEOUT_MS, maxAnswerBytes: limit })
  return http({ url, headers, body: Buffer.from('{"a":1}') })
}

const textOf = ({ body }: HttpAnswer) => Buffer.from(body).toString()
const unreachable = (sent: boolean) => ({ code: 'provider-unreachable', retry: true, details: { sent } })

describe('a call', () => {
  it('posts the bytes with the headers, and answers status, date and bytes', async () => {
    let heard: unknown
    const server = await startServer(async (request, response) => {
      const { method, url, headers } = request
      heard = [method, url, headers['x-one'], (await bytesOf(request)).toString()]
      response.writeHead(418, { date: 'Tue, 10 Mar 2026 12:00:00 GMT' }).end('short and stout')
    })
    const answer = await post(`${server.url}/path?x=1`)
    expect(heard).toEqual(['POST', '/path?x=1', '1', '{"a":1}'])
    expect(answer).toMatchObject({ status: 418, date: new Date('2026-03-10T12:00:00Z') })
    expect(textOf(answer)).toBe('short and stout')
    await server.stop()
  })

  it.each([
    ['none', {}],
    ['one that cannot be read', { date: 'noon' }],
  ])('may be answered with %s as date', async (_, headers) => {
    const server = await startServer((_request, response) => {
      response.sendDate = false
      response.writeHead(200, headers).end()
    })
    expect((await post(server.url)).date).toBeUndefined()
    await server.stop()
  })

  it('does not follow redirects', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await post(server.url)).toMatchObject({ status: 307 })
    expect(server.requests).toHaveLength(1)
    await server.stop()
  })

  it('takes an answer as long as allowed, and none that is longer', async () => {
    const server = await startServer((_request, response) => response.end('x'.repeat(1000)))
    expect((await post(server.url, { limit: 1000 })).body).toHaveLength(1000)
    await expect(post(server.url, { limit: 999 })).rejects.toMatchObject(unreachable(true))
    await server.stop()
  })

  it('stops reading an answer without end', async () => {
    const server = await startServer((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    await expect(post(server.url)).rejects.toMatchObject(unreachable(true))
    await server.stop()
  })
})

describe('a failure that happened before anything was sent', () => {
  it('is a port where nobody listens', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`
    await expect(post(url)).rejects.toMatchObject(unreachable(false))
    await expect(post(url.replace('127.0.0.1', 'localhost'))).rejects.toMatchObject(unreachable(false))
  })

  it('is a certificate that is not trusted', async () => {
    const server = await startTlsServer(selfSigned(), (_request, response) => response.end())
    await expect(post(server.url)).rejects.toMatchObject(unreachable(false))
    expect(server.requests).toHaveLength(0)
    await server.stop()
  })

  it('is a header that cannot be sent, and its value is not told', async () => {
    const server = await startServer((_request, response) => response.end())
    const error = await post(server.url, { headers: { 'x-key': 'planted\nsecret' } }).catch(fault => fault)
    expect(error).toMatchObject(unreachable(false))
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/planted|secret/)
    expect(server.requests).toHaveLength(0)
    await server.stop()
  })

  it.each(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])(
    'is %s while connecting',
    async code => {
      await expect(
        post('http://127.0.0.1:1', { dispatcher: failing(code, 'connect') }),
      ).rejects.toMatchObject(unreachable(false))
    },
  )
})

describe('a failure after which something may have arrived', () => {
  it('is silence: one request, and no other', async () => {
    const server = await startServer(() => {})
    await expect(post(server.url)).rejects.toMatchObject(unreachable(true))
    await new Promise(resolve => setTimeout(resolve, TIMEOUT_MS))
    expect(server.requests).toHaveLength(1)
    await server.stop()
  })

  it('is an answer that does not come to its end', async () => {
    const server = await startServer((_request, response) => {
      const drip = setInterval(() => response.write('x'), 20)
      response.once('close', () => clearInterval(drip))
    })
    await expect(post(server.url)).rejects.toMatchObject(unreachable(true))
    expect(server.requests).toHaveLength(1)
    await server.stop()
  })

  it('is an answer that is cut off', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    await expect(post(server.url)).rejects.toMatchObject(unreachable(true))
    expect(server.requests).toHaveLength(1)
    await server.stop()
  })

  it('is a connection that is reset', async () => {
    const server = await startServer(request => request.socket.resetAndDestroy())
    await expect(post(server.url)).rejects.toMatchObject(unreachable(true))
    expect(server.requests).toHaveLength(1)
    await server.stop()
  })

  it('is an answer that is no HTTP', async () => {
    const server = createSocketServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end('220 mail.example.com ESMTP\r\n'))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await expect(post(`http://127.0.0.1:${port}`)).rejects.toMatchObject(unreachable(true))
    await new Promise(resolve => server.close(resolve))
  })

  it.each(['EHOSTUNREACH', 'ENETUNREACH', 'ECONNREFUSED'])(
    'is %s on a connection that stood: the network told it late',
    async code => {
      await expect(post('http://127.0.0.1:1', { dispatcher: failing(code, 'read') })).rejects.toMatchObject(
        unreachable(true),
      )
    },
  )

  it('is anything that is not known', async () => {
    await expect(
      post('http://127.0.0.1:1', { dispatcher: failing('EWEIRD', 'connect') }),
    ).rejects.toMatchObject(unreachable(true))
  })
})

/** A way to the network that fails as the system would. */
function failing(code: string, syscall: string): Agent {
  return new Agent({
    connect: (_options, callback) =>
      callback(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }), null),
  })
}

it('names the host in its sentence and nothing of the path', async () => {
  const url = `http://127.0.0.1:${await closedPort()}/secret-path?signature=planted`
  const error = await post(url).catch(fault => fault)
  expect(error.message).toMatch(/^127\.0\.0\.1:\d+ could not be reached: .*\.$/)
  expect(JSON.stringify([error.message, error.details])).not.toMatch(/secret-path|planted/)
})
