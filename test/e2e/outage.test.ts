import { describeOutage } from '../contracts/outage.ts'
import { FOLDER, S3 } from '../support/outage-places.ts'

/** Some calls of every stage; `npm run test:outage` has many more of them fail. */
describeOutage('a folder', FOLDER, { sample: 5, fully: [] })
describeOutage('S3, stood in for', S3, {
  sample: 7,
  fully: ['loses answers', 'answers 412 to its own success'],
})
