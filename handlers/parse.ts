/** Publishes the days of every report whose file has been archived, and tells of them. */
import type { SQSHandler } from 'aws-lambda'
import { parse } from '../src/stages/parse.ts'
import { tellOfDays } from './day-events.ts'
import { eachReport } from './report-events.ts'
import { start } from './start.ts'

export const handler: SQSHandler = async (event, lambda) => {
  const daybook = await start()
  return eachReport(daybook, event, lambda, 'archive.json', async (account, reportId) => {
    const outcome = await parse(daybook.context, account, reportId)
    // Also when another has parsed it: whoever did may have died before anybody was told.
    if ('manifest' in outcome) await tellOfDays(daybook, account.ref, outcome.manifest)
  })
}
