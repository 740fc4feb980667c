/** A function URL: HTTP in, the event of payload 2.0 to the function, its answer out. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import type { LambdaFunction } from './lambda-function.ts'

export interface FunctionUrl {
  readonly url: string
  stop(): Promise<void>
}

export async function startFunctionUrl(target: Pick<LambdaFunction, 'invoke'>): Promise<FunctionUrl> {
  let requests = 0
  const server = createServer(async (request, response) => {
    // AWS gives text as text and everything else as base64; a handler must take either.
    const event = await urlEvent(request, requests++ % 2 === 1)
    const invoked = await target.invoke(event)
    if (invoked.outcome !== 'answered') return void response.writeHead(502).end('Internal Server Error')
    const { statusCode = 200, headers = {}, body = '' } = invoked.answer as APIGatewayProxyStructuredResultV2
    const plain = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
    response.writeHead(statusCode, Object.fromEntries(plain)).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function urlEvent(request: IncomingMessage, isBase64Encoded: boolean): Promise<APIGatewayProxyEventV2> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const)
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: Object.fromEntries(headers),
    requestContext: {
      accountId: 'anonymous',
      apiId: 'example',
      domainName: 'example.lambda-url.us-east-1.on.aws',
      domainPrefix: 'example',
      http: {
        method: request.method ?? 'GET',
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'test',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: new Date().toISOString(),
      timeEpoch: Date.now(),
    },
    isBase64Encoded,
    ...(body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
  }
}
