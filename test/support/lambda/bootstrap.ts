/**
 * What AWS runs in an execution environment: loads the bundle, then takes one event after another from the
 * runtime API. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { AWS_LAMBDA_RUNTIME_API: api, LAMBDA_TASK_ROOT: root = '', _HANDLER: name = '' } = process.env
const agent = new Agent({ keepAlive: true })

function call(
  method: string,
  path: string,
  body = '',
): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const url = `http://${api}/2018-06-01/runtime${path}`
    const sent = request(url, { method, agent, headers: { 'content-length': Buffer.byteLength(body) } })
    sent.on('error', reject).on('response', answer => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => chunks.push(chunk)).on('error', reject)
      answer.on('end', () =>
        resolve({ headers: answer.headers, body: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    sent.end(body)
  })
}

function errorBody(error: unknown): string {
  const { name: errorType, message: errorMessage } = error instanceof Error ? error : new Error(String(error))
  return JSON.stringify({ errorType, errorMessage })
}

const [file = '', exported = ''] = name.split('.')
let handler: (event: unknown, context: unknown) => Promise<unknown>
try {
  handler = (await import(pathToFileURL(join(root, `${file}.mjs`)).href))[exported]
} catch (error) {
  await call('POST', '/init/error', errorBody(error))
  throw error
}

for (;;) {
  const { headers, body } = await call('GET', '/invocation/next')
  const id = String(headers['lambda-runtime-aws-request-id'])
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() }
  try {
    const answer = await handler(JSON.parse(body), context)
    await call('POST', `/invocation/${id}/response`, JSON.stringify(answer ?? null))
  } catch (error) {
    await call('POST', `/invocation/${id}/error`, errorBody(error))
  }
}
