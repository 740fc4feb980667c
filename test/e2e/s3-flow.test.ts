import { describeS3Flow } from '../contracts/s3-flow.ts'
import { startS3StandIn } from '../support/s3-stand-in.ts'

describeS3Flow('S3, stood in for', startS3StandIn)
