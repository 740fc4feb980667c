/** `daybook describe`: what a file looks like, without an id or an amount, so that it can be shared. */
import { basename } from 'node:path'
import type { Command } from 'commander'
import { bytesText, countOf, countText } from '../domain/quantity-text.ts'
import type { FileDescription } from '../formats/describe.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { openFile } from './local-file.ts'
import type { CommonOptions } from './session.ts'
import { tableText } from './terminal.ts'

export function describeCommand(): Command {
  return createCommand('describe', 'describe a report file: container, header, shapes, proposed mapping')
    .argument('<file>', 'a file on this machine')
    .addHelpText(
      'after',
      `
The description holds no ids and no amounts, so it can be sent along when a first real file is not read
as it should be. It reads the file and, where DAYBOOK_COLUMNS_FILE is set, the column names of that file;
no other setting counts.`,
    )
    .action(exitsWith(runDescribe))
}

async function runDescribe(path: string, options: CommonOptions): Promise<ExitCode> {
  const [{ terminalFor }, { describeFile }, { loadColumns }, { readEnv }] = await Promise.all([
    import('./session.ts'),
    import('../formats/describe.ts'),
    import('../config/columns.ts'),
    import('../config/env.ts'),
  ])
  const terminal = terminalFor(options)
  const source = await openFile(path)
  const description = await describeFile(source, {
    columns: loadColumns(readEnv()),
    onProgress: progress => terminal.progress({ stage: 'describe', totalBytes: source.size, ...progress }),
  })
  terminal.result('describe', { file: basename(path), ...description }, textOf(description))
  for (const line of summaryOf(description)) terminal.say(line)
  return description.fault === null ? EXIT.done : EXIT.failed
}

/** What a person wants to know first: whether this can be parsed, and what would come of it. */
function summaryOf({ fault, parts, statement }: FileDescription): string[] {
  const { rows, unreadable, firstDay, lastDay, operations } = statement
  const bad = Object.values(unreadable).reduce((sum, count) => sum + count, 0)
  const unknown = operations.filter(({ known }) => !known).length
  const span =
    firstDay === null ? '' : firstDay === lastDay ? ` of ${firstDay}` : ` from ${firstDay} to ${lastDay}`
  const read = `${countOf(rows, 'row')}${span}, ${bad === 0 ? 'none unreadable' : `${countText(bad)} unreadable`}`
  const missing = new Set(parts.flatMap(part => part.missing))
  return [
    ...(fault === null
      ? [`This file can be parsed: ${rows === 0 ? 'it holds no rows' : read}.`]
      : [`This file cannot be parsed: ${fault.message}`]),
    ...(fault !== null && rows > 0 ? [`Before that: ${read}.`] : []),
    ...(unknown > 0 ? [`${countOf(unknown, 'operation')} not known here; kept as named and counted.`] : []),
    ...(missing.size > 0
      ? [`Say which columns are the ${[...missing].join(', ')} in the file that DAYBOOK_COLUMNS_FILE names.`]
      : []),
  ]
}

function textOf({ kind, bytes, parts, notes, statement }: FileDescription): string[] {
  const lines = [`container  ${kind}, ${bytesText(bytes)}, ${countOf(parts.length, 'part')}`]
  const [part] = parts
  if (part !== undefined) {
    lines.push(
      `header     ${part.header.join(' | ')}`,
      `encoding   ${part.bom ? 'byte order mark; ' : ''}line ends ${counted(part.eol)}; quoting ${counted(part.quoting)}`,
      `times      ${counted(part.times)}`,
      `numbers    ${counted(part.numbers)}`,
      '',
      ...tableText(
        ['column', 'proposed meaning', 'shapes'],
        part.columns.map(({ column, meaning, shapes }) => [
          column,
          meaning ?? '(kept as extra)',
          counted(shapes),
        ]),
      ),
      '',
    )
    if (part.missing.length > 0) lines.push(`missing    ${part.missing.join(', ')}`)
  }
  if (statement.rows === 0) return lines
  const zones = statement.zones.map(({ zone, from }) => `${zone} (${from})`).join(', ')
  lines.push(
    `layout     ${statement.layouts.join(', ') || 'none recognised'}; zone ${zones || 'none'}`,
    `rows       ${countText(statement.rows)}, ${statement.firstDay ?? '-'} to ${statement.lastDay ?? '-'}`,
    `unreadable ${counted(statement.unreadable) || 'none'}`,
    `wallets    ${counted(statement.wallets)}`,
    ...notes.map(note => `note       ${note}`),
  )
  if (statement.operations.length === 0) return lines
  return [
    ...lines,
    '',
    ...tableText(
      ['operation', 'category', 'rows'],
      statement.operations.map(({ operation, category, rows }) => [operation, category, countText(rows)]),
      ['rows'],
    ),
  ]
}

/** The commonest few: a line is to be read, and the whole stands in `--json`. */
const SHOWN = 4

function counted(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const shown = all.slice(0, SHOWN).map(([name, count]) => `${name || '(empty)'} ×${countText(count)}`)
  return [...shown, ...(all.length > SHOWN ? [`… ${all.length - SHOWN} more`] : [])].join(', ')
}
