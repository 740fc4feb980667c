import { describeOutage } from '../contracts/outage.ts'
import { S3 } from '../support/outage-places.ts'

describeOutage('S3, stood in for', S3, { most: 4 })
