import { describeS3Store } from '../contracts/s3-store.ts'
import { startS3StandIn } from '../support/s3-stand-in.ts'

describeS3Store('S3, stood in for', startS3StandIn)
