/** Callbacks from a function URL or an HTTP API: verified as bytes, durable, then acknowledged. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import { answerCallback, calledAccount, REFUSED, statusOf } from '../src/callback-answer.ts'
import { errorFields } from '../src/log.ts'
import { start } from './start.ts'

export const handler = async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
  const { context, accounts, config } = await start()
  const [, provider, account] = /^\/callbacks\/([^/]+)\/([^/]+)$/.exec(event.rawPath) ?? []
  if (provider === undefined || account === undefined || event.requestContext.http.method !== 'POST')
    return reply({ status: 404, body: '{"status":"not-found"}' })
  // The signature is about bytes. What is not base64 was UTF-8, or its bytes are lost and do not verify.
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
  if (body.length > config.callbacks.maxBytes) return reply({ ...REFUSED, status: 413 })
  const called = calledAccount(context, accounts, { provider, account })
  if (called === undefined) return reply(REFUSED)
  try {
    return reply((await answerCallback(context, called, { headers: event.headers, body })).reply)
  } catch (error) {
    const { status, retryAfterSeconds } = statusOf(error)
    context.log.error('request.failed', { status, ...errorFields(error) })
    return reply({ ...REFUSED, status }, retryAfterSeconds)
  }
}

function reply(
  { status, body }: { status: number; body: string },
  retryAfterSeconds?: number,
): APIGatewayProxyStructuredResultV2 {
  const later = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return { statusCode: status, headers: { 'content-type': 'application/json', ...later }, body }
}
