/** `daybook describe`: what a file looks like, without an id or an amount, so that it can be shared. */
import { basename } from 'node:path'
import type { Command } from 'commander'
import type { FileDescription } from '../formats/describe.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { openFile } from './local-file.ts'
import type { CommonOptions } from './session.ts'
import { bytesText, countOf, countText, tableText } from './terminal.ts'

export function describeCommand(): Command {
  return createCommand('describe', 'describe a report file: container, header, shapes, proposed mapping')
    .argument('<file>', 'a file on this machine')
    .addHelpText(
      'after',
      `
The description holds no ids and no amounts, so it can be sent along when a first real file is not read
as it should be. It reads the file only and needs no configuration.`,
    )
    .action(exitsWith(runDescribe))
}

async function runDescribe(path: string, options: CommonOptions): Promise<ExitCode> {
  const [{ terminalFor }, { describeFile }] = await Promise.all([
    import('./session.ts'),
    import('../formats/describe.ts'),
  ])
  const terminal = terminalFor(options)
  const description = await describeFile(await openFile(path))
  if (description.fault !== null) terminal.say(`This file cannot be parsed: ${description.fault.message}`)
  terminal.result('describe', { file: basename(path), ...description }, textOf(description))
  return description.fault === null ? EXIT.done : EXIT.failed
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
