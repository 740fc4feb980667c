/** What comes after what. Every stage may run twice, at once, and be killed anywhere. */
import { type ArchiveOutcome, archive } from './stages/archive.ts'
import type { Account, Context } from './stages/context.ts'
import { type MatchOutcome, match } from './stages/match.ts'
import { type ParseOutcome, parse } from './stages/parse.ts'

export interface AdvanceOutcome {
  readonly match: MatchOutcome['outcome']
  readonly archive: ArchiveOutcome
  /** Absent while there is no file. */
  readonly parse?: ParseOutcome
}

/**
 * Runs whatever a report lacks, in order, as far as it goes now. Throws the fault that stops it. Nobody looks at a
 * report again that is parsed, so it is parsed only when it is matched, and then its slot is settled.
 */
export async function advance(context: Context, account: Account, reportId: string): Promise<AdvanceOutcome> {
  const first = await match(context, account, reportId)
  const archived = await archive(context, account, reportId)
  if (archived.outcome === 'not-ready' || archived.outcome === 'undeliverable')
    return { match: first.outcome, archive: archived }
  // The answer may have come during the transfer.
  const matched = first.outcome === 'answer-awaited' ? await match(context, account, reportId) : first
  const moved = { match: matched.outcome, archive: archived }
  return matched.outcome === 'matched'
    ? { ...moved, parse: await parse(context, account, reportId) }
    : { ...moved, parse: { outcome: 'range-unknown' } }
}
