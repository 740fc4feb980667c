import { describeOutage } from '../contracts/outage.ts'
import { FOLDER } from '../support/outage-places.ts'

describeOutage('a folder', FOLDER, { most: 6 })
