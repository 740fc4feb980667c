import { S3Client } from '@aws-sdk/client-s3'

export interface S3ClientOptions {
  /** The address of an S3-compatible store; Amazon's own when absent. */
  readonly endpoint?: string
  /**
   * Whether writes carry the checksum that S3 demands where a bucket retains by default:
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
   * When absent, those to Amazon's own do.
   */
  readonly checksums?: boolean
  readonly region?: string
  /** Found by the SDK's own rules when absent: environment, profile, or the role of the machine. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** A client with settings that other S3-compatible stores understand too. */
export function s3Client(options: S3ClientOptions = {}): S3Client {
  const { endpoint, region, credentials, checksums = endpoint === undefined } = options
  return new S3Client({
    // Other stores rarely have a name for every bucket, rarely care for the region, and may not know the
    // checksums that the SDK adds unasked since 3.729.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true, region: 'us-east-1' }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
    requestChecksumCalculation: checksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
  })
}
