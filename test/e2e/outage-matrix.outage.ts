import { describeOutage } from '../contracts/outage.ts'
import { FOLDER, S3 } from '../support/outage-places.ts'

describeOutage('a folder', FOLDER, { every: 11 })
describeOutage('S3, stood in for', S3, { every: 4 })
