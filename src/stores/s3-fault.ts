/** What an S3 store says when it does not do what it is asked, in our words. */
import { DaybookError, type FaultCode } from '../domain/errors.ts'

/** An answer's status and the name of its error; the status is `undefined` when there was no answer. */
export interface S3Refusal {
  readonly status: number | undefined
  readonly name: string
}

export function refusalOf(error: unknown): S3Refusal {
  if (!(error instanceof Error)) return { status: undefined, name: 'unknown' }
  const { $metadata, $response, code } = error as Error & {
    $metadata?: { httpStatusCode?: number }
    $response?: { statusCode?: number }
    code?: unknown
  }
  const named = error.name === 'Error' ? error.message : error.name
  const name = typeof code === 'string' ? code : named
  return { status: $metadata?.httpStatusCode ?? $response?.statusCode, name }
}

const REASON: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket',
  PermanentRedirect: 'the bucket is in another region',
  AuthorizationHeaderMalformed: 'the bucket is in another region',
  InvalidAccessKeyId: 'the access key is not known there',
  SignatureDoesNotMatch: 'the secret key does not belong to the access key',
  ExpiredToken: 'the session token has expired',
  RequestTimeTooSkewed: "this machine's clock is wrong",
  CredentialsProviderError: 'no credentials were found',
  'Region is missing': 'no region is set',
  NotImplemented: 'it does not know this kind of request',
}

const FORBIDDEN = 'these credentials may not do this; s3:GetObject, s3:PutObject and s3:ListBucket are needed'

/** What no repetition will change, although it looks like no answer or like trouble on their side. */
const LASTING = new Set(['CredentialsProviderError', 'Region is missing', 'NotImplemented'])

/** What may pass, although it looks like a refusal; 409 and 412 answer a condition. */
const PASSING = new Set<string | number>(['NoSuchKey', 'NoSuchUpload', 'RequestTimeout', 409, 412, 429])

/** Whether the same request may be granted later. */
function mayPass({ status, name }: S3Refusal): boolean {
  if (LASTING.has(name)) return false
  if (status === undefined || PASSING.has(status) || PASSING.has(name)) return true
  // An answer of success that was no use is a broken one.
  return status >= 500 || status < 300
}

/** Turns what the SDK throws into a fault. */
export function s3Fault(error: unknown): DaybookError {
  if (error instanceof DaybookError) return error
  const refusal = refusalOf(error)
  const { status, name } = refusal
  const code: FaultCode = mayPass(refusal) ? 'store-unavailable' : 'store-refused'
  const said = status === undefined ? name : `${status} ${name}`
  const reason = REASON[name] ?? (status === 403 ? FORBIDDEN : undefined)
  const message =
    code === 'store-unavailable'
      ? `The object store does not answer as it should (${said}).`
      : `The object store refuses: ${reason ?? 'it does not accept the request'} (${said}).`
  return new DaybookError(code, message, { details: { said }, cause: error })
}

/** Runs one request and turns its failure into a fault. */
export async function onS3<T>(request: Promise<T>): Promise<T> {
  try {
    return await request
  } catch (error) {
    throw s3Fault(error)
  }
}
