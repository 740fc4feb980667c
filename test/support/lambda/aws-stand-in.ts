/** The two calls to AWS that handlers make beside S3, answered on loopback: secrets, and a bus that keeps events. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface AwsStandIn {
  /** The variables that point an SDK at it. */
  readonly env: Readonly<Record<string, string>>
  /** The details of all events, as they were sent. */
  readonly events: { readonly bus: string; readonly type: string; readonly detail: string }[]
  /** How often a secret was read. */
  readonly reads: () => number
  /** The next so many calls to the bus are refused for a moment. */
  refuseEvents(times: number): void
  stop(): Promise<void>
}

export async function startAwsStandIn(secrets: Readonly<Record<string, string>>): Promise<AwsStandIn> {
  const events: { bus: string; type: string; detail: string }[] = []
  let reads = 0
  let refusals = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    const answer = (status: number, content: unknown) =>
      void response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify(content))
    switch (request.headers['x-amz-target']) {
      case 'secretsmanager.GetSecretValue': {
        reads++
        const text = secrets[body.SecretId]
        if (text === undefined) return answer(400, { __type: 'ResourceNotFoundException', message: 'none' })
        return answer(200, { Name: body.SecretId, SecretString: text })
      }
      case 'AWSEvents.PutEvents': {
        const entries: { EventBusName: string; DetailType: string; Detail: string }[] = body.Entries
        if (entries.length > 10) return answer(400, { __type: 'ValidationException', message: 'too many' })
        if (refusals > 0) {
          refusals--
          const failed = entries.map(() => ({ ErrorCode: 'InternalFailure', ErrorMessage: 'later' }))
          return answer(200, { FailedEntryCount: entries.length, Entries: failed })
        }
        for (const { EventBusName, DetailType, Detail } of entries)
          events.push({ bus: EventBusName, type: DetailType, detail: Detail })
        return answer(200, { FailedEntryCount: 0, Entries: entries.map((_, at) => ({ EventId: `${at}` })) })
      }
      default:
        return answer(400, { __type: 'UnknownOperationException', message: 'not known here' })
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    env: { AWS_ENDPOINT_URL_SECRETS_MANAGER: url, AWS_ENDPOINT_URL_EVENTBRIDGE: url },
    events,
    reads: () => reads,
    refuseEvents: times => {
      refusals = times
    },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
