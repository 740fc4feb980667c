/** `daybook settle`: says what became of a request whose answer was lost. */
import { type Command, InvalidArgumentError } from 'commander'
import type { SlotOutcome } from '../domain/quota.ts'
import type { SettleOutcome } from '../stages/settle.ts'
import { createCommand, exitsWith } from './command.ts'
import { daysText, readMonth } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface SettleOptions extends CommonOptions {
  readonly account?: string
  readonly month: string
  readonly report?: string
  readonly none?: boolean
  readonly why: string
  readonly by?: string
}

export function settleCommand(): Command {
  return createCommand(
    'settle',
    'say which report a request whose answer was lost led to, or that it led to none',
  )
    .argument('<slot>', 'the number of the slot, from "daybook status" or "daybook quota"', readSlot)
    .requiredOption('--month <month>', 'the month of the slot, YYYY-MM', readMonth)
    .option('--account <name>', 'the merchant account; not needed when there is one')
    .option('--report <id>', 'the report that it led to')
    .option('--none', 'no report was made; the slot is given back and the quota with it')
    .requiredOption('--why <text>', 'how you know, for the record')
    .option('--by <name>', 'who says so, for the record; the name of the user when absent')
    .addHelpText(
      'after',
      `
A slot counts as spent until it is settled. Say --none only when the merchant portal shows that no report was
made: a slot that is given back is used again. The first word stands; it cannot be taken back.

Example:
  daybook settle 3 --month 2026-10 --report 466780563124436993 --why "seen in the portal"`,
    )
    .action(exitsWith(runSettle))
}

function readSlot(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number.parseInt(text, 10)
  throw new InvalidArgumentError('Expected the number of a slot.')
}

async function runSettle(slot: number, options: SettleOptions): Promise<ExitCode> {
  const { DaybookError } = await import('../domain/errors.ts')
  if ((options.report === undefined) === (options.none !== true))
    throw new DaybookError('usage-invalid', 'Say either --report with the id, or --none.')
  if (options.report !== undefined && !/^[\w-]{1,64}$/.test(options.report))
    throw new DaybookError('usage-invalid', 'This is not the id of a report.')
  const { withSession, chooseAccount } = await import('./session.ts')
  const { personName } = await import('../host.ts')
  const { settle } = await import('../stages/settle.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const account = chooseAccount(daybook, options.account)
    const { month, report: reportId, why } = options
    const input = { month, slot, reportId, why, by: options.by ?? personName() }
    const outcome = await settle(daybook.context, account, input)
    terminal.say(explain(outcome, month, slot))
    terminal.result('settle', { account: account.ref.account, month, ...outcome }, [])
    return exitCodeOf(outcome, reportId)
  })
}

function explain(outcome: SettleOutcome, month: string, number: number): string {
  const name = `Slot ${number} of ${month}`
  switch (outcome.outcome) {
    case 'settled':
      return outcome.standing.outcome === 'accepted'
        ? `${name} (${daysText(outcome.slot.claim.request.range)}) led to report ${outcome.standing.reportId}; "daybook sweep" fetches it.`
        : `${name} led to no report and is given back.`
    case 'already-settled':
      return `${name} was settled before: ${standingText(outcome.standing)}. That stands.`
    case 'answer-awaited':
      return `${name} may still get its answer; try again in two minutes.`
    case 'other-slot':
      return `That report belongs to slot ${outcome.slot} of ${outcome.month}.`
  }
}

function standingText(standing: SlotOutcome): string {
  switch (standing.outcome) {
    case 'accepted':
      return `it led to report ${standing.reportId}`
    case 'rejected':
      return `it led to no report (${standing.code})`
    case 'unknown':
      return 'its answer was lost'
  }
}

/** To say again what stands is no failure. */
function exitCodeOf(outcome: SettleOutcome, reportId: string | undefined): ExitCode {
  switch (outcome.outcome) {
    case 'settled':
      return EXIT.done
    case 'already-settled': {
      const { standing } = outcome
      return (standing.outcome === 'accepted' ? standing.reportId : undefined) === reportId
        ? EXIT.done
        : EXIT.failed
    }
    case 'answer-awaited':
      return EXIT.notReady
    case 'other-slot':
      return EXIT.usage
  }
}
