/** What S3 tells a queue: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
import { randomBytes } from 'node:crypto'
import type { S3Event } from 'aws-lambda'

/** A key as it stands in an event: encoded as in the query of a URL. */
export function encodedKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

export function createdEvent(bucket: string, key: string, how: 'Put' | 'CompleteMultipartUpload'): string {
  const event: S3Event = {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'us-east-1',
        eventTime: new Date().toISOString(),
        eventName: `ObjectCreated:${how}`,
        userIdentity: { principalId: 'AWS:AROAEXAMPLE:daybook' },
        requestParameters: { sourceIPAddress: '127.0.0.1' },
        responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810', 'x-amz-id-2': 'FMyUVURIY8' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'created',
          bucket: {
            name: bucket,
            ownerIdentity: { principalId: 'A3NL1KOZZKExample' },
            arn: `arn:aws:s3:::${bucket}`,
          },
          object: {
            key: encodedKey(key),
            size: 1,
            eTag: 'd41d8cd98f00b204e9800998ecf8427e',
            versionId: '',
            sequencer: randomBytes(9).toString('hex').toUpperCase(),
          },
        },
      },
    ],
  }
  return JSON.stringify(event)
}

/** What S3 sends when it is first told of a queue. */
export function testEvent(bucket: string): string {
  return JSON.stringify({
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: new Date().toISOString(),
    Bucket: bucket,
    RequestId: '5582815E1AEA5ADF',
    HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR',
  })
}
