/** Fetches the file of every report whose callback has arrived. */
import type { SQSHandler } from 'aws-lambda'
import { archive } from '../src/stages/archive.ts'
import { match } from '../src/stages/match.ts'
import { eachReport } from './report-events.ts'
import { start } from './start.ts'

export const handler: SQSHandler = async (event, lambda) => {
  const daybook = await start()
  return eachReport(daybook, event, lambda, 'callback.json', async (account, reportId) => {
    await match(daybook.context, account, reportId)
    // Without a file for now the sweep asks again, when it is due.
    await archive(daybook.context, account, reportId)
  })
}
