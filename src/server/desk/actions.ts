/** What operators do. Each act is done once for one key, written to the audit before, and told in words. */
import { hash } from 'node:crypto'
import type { AccountBook } from '../../console/book.ts'
import { monthText, rangeText } from '../../console/format.ts'
import { addDays, type Day, type Month, monthOf } from '../../domain/calendar.ts'
import { DaybookError, findFault } from '../../domain/errors.ts'
import { writeJson } from '../../domain/json.ts'
import { countOf } from '../../domain/quantity-text.ts'
import { explanationRecord } from '../../domain/reconciliation.ts'
import type { WalletScope } from '../../domain/report.ts'
import type { ByteSource } from '../../formats/byte-source.ts'
import { applyPlan, makePlan, type PlannedAccount } from '../../planning.ts'
import type { Context } from '../../stages/context.ts'
import { importFile } from '../../stages/import.ts'
import { reconcile } from '../../stages/reconcile.ts'
import { snapshot } from '../../stages/snapshot.ts'
import { type SubmitOutcome, submit } from '../../stages/submit.ts'
import { type ActionResult, beginAction, endAction } from '../../stores/action-log.ts'
import { recordAudit } from '../../stores/audit-log.ts'
import { recordClosing } from '../../stores/closing-log.ts'
import { newestReconciliation, recordExplanation } from '../../stores/reconciliation-log.ts'
import { moveOn, sweep } from '../../sweep.ts'
import { sweepText } from '../jobs.ts'
import type { DeskParts } from './desk.ts'
import type { Person } from './gate.ts'

/** Who asks, from where, and under which key of their own. */
export interface Asking {
  readonly person: Person
  readonly from: string
  readonly key: string
}

/** What an act has come to; `tone` is how it is shown. */
export interface Told {
  readonly outcome: string
  readonly says: string
  /** What it led to, as plain texts. */
  readonly about: Readonly<Record<string, string>>
}

export type Done =
  | { readonly standing: 'done'; readonly id: string; readonly result: ActionResult }
  | { readonly standing: 'under-way'; readonly since: string }
  | { readonly standing: 'key-reused' }

export interface Act {
  /** `report.ask` */
  readonly did: string
  /** What is asked, exactly: one key stands for one question. */
  readonly about: Readonly<Record<string, string>>
  readonly run: (context: Context) => Promise<Told>
}

/** How long a second request waits for the first one's result. */
const PATIENCE_MS = 20_000
const LOOK_EVERY_MS = 100

/** Does what is asked, or tells what became of it when the same was asked before under this key. */
export async function perform(
  { context }: Pick<DeskParts, 'context'>,
  asking: Asking,
  act: Act,
): Promise<Done> {
  const { person, from, key } = asking
  const { did, about } = act
  const id = hash('sha256', writeJson([person.name, key]), 'hex')
  const asked = hash('sha256', writeJson(Object.entries(about).sort()), 'hex')
  const now = () => context.clock.now().toISOString()
  const intent = { at: now(), who: person.name, did, asked }
  const patienceEnds = context.clock.now().getTime() + PATIENCE_MS
  let begun = await beginAction(context.store, id, intent)
  while (begun.standing === 'under-way' && context.clock.now().getTime() < patienceEnds) {
    await context.clock.sleep(LOOK_EVERY_MS)
    begun = await beginAction(context.store, id, intent)
  }
  if (begun.standing === 'done') return { standing: 'done', id, result: begun.result }
  if (begun.standing !== 'begun') return begun
  await recordAudit(context.store, context.random.hex(12), {
    at: now(),
    who: person.name,
    role: person.role,
    from,
    did,
    about: { ...about, action: id.slice(0, 16) },
  })
  const result: ActionResult = { ...(await runSafely(context, person, act)), at: now() }
  await endAction(context.store, id, result)
  context.log.info('desk.acted', { did, who: person.name, outcome: result.outcome })
  return { standing: 'done', id, result }
}

/** Records name the person beside the process. A fault is a result too: it is told to whoever asks again. */
async function runSafely(context: Context, person: Person, { run }: Act) {
  try {
    const told = await run({ ...context, processName: `${person.name} at ${context.processName}` })
    return { ...told, about: { ...told.about } }
  } catch (error) {
    const fault = findFault(error)
    if (fault === undefined) throw error
    return { outcome: fault.code, says: fault.message, about: {} }
  }
}

/** What stands for success; everything else is shown as a warning. */
export const GOOD_OUTCOMES: ReadonlySet<string> = new Set([
  'done',
  'accepted',
  'already-requested',
  'imported',
  'already-imported',
])

export interface AskFields {
  readonly from: Day
  readonly to: Day
  readonly wallets: WalletScope
  readonly again: boolean
}

export function askAct(account: PlannedAccount, { from, to, wallets, again }: AskFields): Act {
  return {
    did: 'report.ask',
    about: { ...account.ref, from, to, wallets, again: again ? 'yes' : 'no' },
    async run(context) {
      const request = { range: { start: from, end: addDays(to, 1) }, wallets }
      const outcome = await submit(context, account, { request, reason: 'desk', again })
      const reportId = 'reportId' in outcome ? outcome.reportId : undefined
      return {
        outcome: outcome.outcome,
        says: submitText(outcome, rangeText(from, to)),
        about: reportId === undefined ? {} : { report: reportId },
      }
    },
  }
}

function submitText(outcome: SubmitOutcome, days: string): string {
  switch (outcome.outcome) {
    case 'accepted':
      return `Asked for ${days}: report ${outcome.reportId}, slot ${outcome.slot} of ${outcome.month}.`
    case 'already-requested':
      return `${days} was asked for before, in slot ${outcome.slot} of ${outcome.month}. Nothing was spent.`
    case 'quota-exhausted':
      return `All ${outcome.limit} reports of ${outcome.month} are used. The next can be asked for from ${outcome.opensAt.toISOString()}.`
    case 'month-turning':
      return `The month is turning. It is possible again from ${outcome.opensAt.toISOString()}.`
    case 'not-askable':
      return outcome.says
    case 'rejected':
      return `${outcome.says} No report was made and nothing was spent.`
    case 'unknown':
      return `${outcome.says} A report may have been made, so slot ${outcome.slot} of ${outcome.month} counts as spent until it is settled.`
  }
}

export function planAct(account: PlannedAccount, from: Day): Act {
  return {
    did: 'plan.apply',
    about: { ...account.ref, from },
    async run(context) {
      const plan = await makePlan(context, account, { from })
      const { asked, left, stopped } = await applyPlan(context, account, plan)
      const rest =
        left.length === 0
          ? 'Nothing is left to ask for.'
          : `${countOf(left.length, 'report')} of the plan left.`
      const why = stopped === undefined ? '' : ` ${submitText(stopped, 'The next one')}`
      return {
        outcome: stopped === undefined ? 'done' : stopped.outcome,
        says: `Asked for ${countOf(asked.length, 'report')}. ${rest}${why}`,
        about: {},
      }
    },
  }
}

export interface ImportFields {
  readonly from: Day
  readonly to: Day
  readonly wallets: WalletScope
  readonly file: ByteSource
  readonly sha256: string
}

export function importAct(
  parts: Pick<DeskParts, 'wake'>,
  account: PlannedAccount,
  person: Person,
  { from, to, wallets, file, sha256 }: ImportFields,
): Act {
  return {
    did: 'report.import',
    about: { ...account.ref, from, to, wallets, name: file.name, sha256 },
    async run(context) {
      const request = { range: { start: from, end: addDays(to, 1) }, wallets }
      const { outcome, reportId } = await importFile(context, account, {
        file,
        request,
        reportId: undefined,
        generatedAt: undefined,
        by: person.name,
      })
      parts.wake(account, reportId)
      const says = {
        imported: `${file.name} is kept and is being read.`,
        'already-imported': `${file.name} was brought before; what was said then stands.`,
        'other-file': 'That report has another file, which stays.',
      }[outcome]
      return { outcome, says, about: { report: reportId } }
    },
  }
}

export function sweepAct(account: PlannedAccount): Act {
  return {
    did: 'sweep.run',
    about: { ...account.ref },
    async run(context) {
      const outcome = await sweep(context, [account])
      return { outcome: 'done', says: `Swept: ${sweepText(outcome)}.`, about: {} }
    },
  }
}

export function retryAct(account: PlannedAccount, reportId: string): Act {
  return {
    did: 'report.retry',
    about: { ...account.ref, report: reportId },
    async run(context) {
      if ((await context.reports.parts(account.ref, reportId)).size === 0)
        throw new DaybookError('not-found', `There is no report ${reportId}.`)
      const outcome = await moveOn(context, account, reportId)
      const says = {
        finished: 'Nothing is left to do for this report.',
        unfinished: 'It was tried and is not finished; see below what keeps it.',
        taken: 'Another process has begun with it just now.',
      }[outcome]
      return { outcome: 'done', says, about: { report: reportId } }
    },
  }
}

export function snapshotAct(account: PlannedAccount): Act {
  return {
    did: 'balances.read',
    about: { ...account.ref },
    async run(context) {
      const taken = await snapshot(context, account, { reason: 'desk' })
      const says = {
        taken: () => ('rows' in taken ? `${countOf(taken.rows, 'balance')} read.` : ''),
        'already-taken': () => 'The balances of that day are here already.',
        'not-askable': () => ('says' in taken ? taken.says : ''),
      }[taken.outcome]()
      return { outcome: taken.outcome === 'not-askable' ? taken.outcome : 'done', says, about: {} }
    },
  }
}

export function reconcileAct(account: PlannedAccount, day: Day): Act {
  return {
    did: 'day.reconcile',
    about: { ...account.ref, day },
    async run(context) {
      const { outcome, record } = await reconcile(context, account, { day, tolerances: new Map() })
      const says = `${day}: ${record.verdict.replaceAll('_', ' ')}, run ${record.run}${outcome === 'unchanged' ? ', as before' : ''}.`
      return { outcome: 'done', says, about: { day } }
    },
  }
}

export interface ExplainFields {
  readonly day: Day
  readonly finding: string
  /** The run that the person has seen. */
  readonly run: number
  readonly says: string
  readonly answered: boolean
}

export function explainAct(account: PlannedAccount, person: Person, fields: ExplainFields): Act {
  const { day, finding, run, says, answered } = fields
  return {
    did: 'finding.explain',
    about: { ...account.ref, day, finding, run: String(run), kind: answered ? 'explained' : 'note', says },
    async run(context) {
      const newest = await newestReconciliation(context.store, account.ref, day)
      if (newest?.findings.some(({ id }) => id === finding) !== true)
        throw new DaybookError('not-found', `There is no finding ${finding} of ${day}.`)
      if (newest.run !== run)
        return {
          outcome: 'superseded',
          says: 'A newer run has found something else meanwhile. Look again before you answer it.',
          about: { day },
        }
      const kind = answered ? 'explained' : 'note'
      const at = context.clock.now().toISOString()
      const record = explanationRecord.parse({ day, finding, run, kind, says, by: person.name, at })
      await recordExplanation(context.store, account.ref, record)
      return { outcome: 'done', says: answered ? 'The answer is kept.' : 'The note is kept.', about: { day } }
    },
  }
}

export function closeAct(book: AccountBook, person: Person, month: Month, note: string): Act {
  const { account } = book
  return {
    did: 'month.close',
    about: { ...account.ref, month, note },
    async run(context) {
      book.forget()
      const view = await book.month(month)
      if (!view.ready)
        return {
          outcome: 'not-ready',
          says: `${monthText(month)} is not ready: something is missing or unanswered.`,
          about: { month },
        }
      if (month >= monthOf(context.clock.now()))
        return { outcome: 'not-ready', says: `${monthText(month)} is not over.`, about: { month } }
      const at = context.clock.now().toISOString()
      const days = await book.closingDays(month)
      const { number } = await recordClosing(context.store, account.ref, {
        ...account.ref,
        month,
        at,
        by: person.name,
        note,
        days,
      })
      return { outcome: 'done', says: `${monthText(month)} is closed (${number}).`, about: { month } }
    },
  }
}
