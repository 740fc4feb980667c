/** `daybook notify-debit`: announces debits to come, one or a file of them. */
import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Amount, formatAmount, readAmount } from '../domain/amount.ts'
import { type Day, isDay } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import type { NotifyInput, NotifyOutcome } from '../stages/notify-debit.ts'
import { createCommand, exitsWith } from './command.ts'
import { readDay } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface NotifyOptions extends CommonOptions {
  readonly account?: string
  readonly contract?: string
  readonly amount?: Amount
  readonly due?: Day
  readonly currency: string
  readonly subMerchant?: string
  readonly csv?: string
  readonly outsideWindow?: boolean
}

export function notifyDebitCommand(): Command {
  return createCommand('notify-debit', 'announce debits to come, two to five days before')
    .option('--account <name>', 'the merchant account; not needed when there is one')
    .option('--contract <id>', 'the contract with the user')
    .addOption(new Option('--amount <amount>', 'what is to be debited').argParser(readDecimal))
    .addOption(new Option('--due <day>', 'the day of the debit, YYYY-MM-DD (UTC)').argParser(readDay))
    .option('--currency <currency>', 'what it is debited in', 'USDT')
    .option('--sub-merchant <id>', 'the sub-merchant it is for')
    .addOption(
      new Option('--csv <file>', 'a file of them: contract,amount,due[,currency][,subMerchant]').conflicts([
        'contract',
        'amount',
        'due',
        'subMerchant',
      ]),
    )
    .option('--outside-window', 'announce although it is not two to five days before')
    .addHelpText(
      'after',
      `
Moves no money. Running it again is safe: a notice has one id, made of contract and day, and the one that was
taken stands. A debit stays frozen for 24 hours after its notice.

Examples:
  daybook notify-debit --contract 205638372306477057 --amount 12.50 --due 2026-11-25
  daybook notify-debit --csv debits.csv`,
    )
    .action(exitsWith(runNotify))
}

async function runNotify(options: NotifyOptions): Promise<ExitCode> {
  const notices = options.csv === undefined ? [noticeOf(options)] : await readNotices(options.csv, options)
  const { withSession, chooseAccount } = await import('./session.ts')
  const { notifyDebit } = await import('../stages/notify-debit.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const account = chooseAccount(daybook, options.account, 'debits')
    const outcomes: NotifyOutcome[] = []
    for (const notice of notices) {
      const outcome = await notifyDebit(daybook.context, account, notice)
      outcomes.push(outcome)
      terminal.say(`${notice.contractId}, ${notice.due}: ${explain(outcome)}`)
    }
    const results = outcomes.map((outcome, index) => ({
      ...notices[index]!,
      amount: formatAmount(notices[index]!.amount),
      ...outcome,
    }))
    const ids = outcomes.flatMap(outcome => ('orderId' in outcome ? [outcome.orderId] : []))
    terminal.result('notify-debit', { account: account.ref.account, notices: results }, ids)
    return outcomes.map(exitCodeOf).find(code => code !== EXIT.done) ?? EXIT.done
  })
}

function readDecimal(text: string): Amount {
  const amount = readAmount(text)
  if (typeof amount === 'bigint') return amount
  throw new InvalidArgumentError('Expected an amount such as 12.50.')
}

function noticeOf(options: NotifyOptions): NotifyInput {
  const { contract, amount, due, currency, subMerchant, outsideWindow = false } = options
  if (contract === undefined || amount === undefined || due === undefined)
    throw new DaybookError('usage-invalid', 'Which debit? Say --contract, --amount and --due, or --csv.')
  return { contractId: contract, amount, due, currency, subMerchantId: subMerchant ?? null, outsideWindow }
}

const COLUMNS = ['contract', 'amount', 'due', 'currency', 'subMerchant']

/** All of them or none: a file with a fault is refused whole, with every faulty line named. */
async function readNotices(path: string, options: NotifyOptions): Promise<NotifyInput[]> {
  const lines = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/)
  const header = (lines[0] ?? '').split(',').map(cell => cell.trim())
  const missing = COLUMNS.slice(0, 3).filter(name => !header.includes(name))
  const unknown = header.filter(name => !COLUMNS.includes(name))
  if (missing.length > 0 || unknown.length > 0)
    throw new DaybookError(
      'usage-invalid',
      `The first line of ${path} names the columns ${COLUMNS.join(',')}; the last two may be left out.`,
    )
  const faults: string[] = []
  const notices: NotifyInput[] = []
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue
    const read = readLine(line, header, options)
    if (typeof read === 'string') faults.push(`line ${index + 1}: ${read}`)
    else notices.push(read)
  }
  const ids = notices.map(({ contractId, due }) => `${contractId} on ${due}`)
  const doubled = ids.find((id, index) => ids.indexOf(id) !== index)
  if (doubled !== undefined) faults.push(`contract ${doubled} stands there twice`)
  if (faults.length > 0)
    throw new DaybookError('usage-invalid', `Nothing was sent. ${path}, ${faults.join('; ')}.`)
  return notices
}

function readLine(line: string, header: readonly string[], options: NotifyOptions): NotifyInput | string {
  const cells = line.split(',').map(cell => cell.trim())
  if (cells.length !== header.length) return `expected ${header.length} cells`
  if (line.includes('"')) return 'expected cells without quotes'
  const at = (name: string) => cells[header.indexOf(name)] ?? ''
  const amount = readAmount(at('amount'))
  if (!/^\d{1,20}$/.test(at('contract'))) return 'expected digits as the contract'
  if (typeof amount !== 'bigint') return 'expected an amount such as 12.50'
  if (!isDay(at('due'))) return 'expected a day such as 2026-11-25'
  return {
    contractId: at('contract'),
    amount,
    due: at('due'),
    currency: at('currency') || options.currency,
    subMerchantId: at('subMerchant') || null,
    outsideWindow: options.outsideWindow ?? false,
  }
}

function explain(outcome: NotifyOutcome): string {
  switch (outcome.outcome) {
    case 'notified':
      return `announced ${outcome.daysAhead} days ahead, order ${outcome.orderId}; the debit is frozen until ${outcome.frozenUntil.toISOString()}.`
    case 'already-notified':
      return `was announced before, order ${outcome.orderId}; nothing was sent. The debit is frozen until ${outcome.frozenUntil.toISOString()}.`
    case 'not-askable':
      return outcome.says
    case 'rejected':
      return `${outcome.says} It was not announced.`
    case 'unknown':
      return `${outcome.says} It may have been announced; run the same again to settle it.`
  }
}

function exitCodeOf({ outcome }: NotifyOutcome): ExitCode {
  switch (outcome) {
    case 'notified':
    case 'already-notified':
      return EXIT.done
    case 'not-askable':
      return EXIT.usage
    case 'rejected':
      return EXIT.failed
    case 'unknown':
      return EXIT.notReady
  }
}
