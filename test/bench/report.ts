/** The result as text: tables that read well in a terminal and in Markdown. */

import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Requirement, Summary } from './summary.ts'

const ROOT = join(import.meta.dirname, '../..')
const README = join(import.meta.dirname, 'README.md')
const MIB = 1024 ** 2

/** Speeds are set against those of `base`. */
export function tableOf(summaries: readonly Summary[], base = 'daybook-1'): string {
  const unit = summaries.find(({ engine }) => engine.name === base)
  const heads = ['engine', 'M rows/s', 'slowest–fastest', `× ${base}`, 'CPU s', 'peak RSS MiB', 'output MB']
  const lines = summaries.map(summary => {
    const ratio = unit === undefined ? '' : (summary.rowsPerSecond / unit.rowsPerSecond).toFixed(2)
    return [
      summary.engine.name,
      millions(summary.rowsPerSecond),
      summary.spread.map(millions).join('–'),
      ratio,
      (summary.cpuMs / 1000).toFixed(1),
      Math.round(summary.peakRssBytes / MIB).toString(),
      (summary.outputBytes / 1e6).toFixed(1),
    ]
  })
  return markdown(heads, lines)
}

export function notesOf(summaries: readonly Summary[]): string {
  return summaries.map(({ engine }) => `- \`${engine.name}\`: ${engine.note}`).join('\n')
}

export function requirementsText(requirements: readonly Requirement[]): string {
  const lines = requirements.map(({ text, measured, holds }) => [holds ? 'pass' : 'FAIL', text, measured])
  return markdown(['', 'required', 'measured'], lines)
}

/** Peak RSS of the same engine with other files, which should be flat. */
export function growthText(small: readonly Summary[], large: readonly Summary[]): string {
  return small
    .flatMap(before => {
      const after = large.find(({ engine }) => engine.name === before.engine.name)
      if (after === undefined) return []
      const growth = (after.peakRssBytes / before.peakRssBytes).toFixed(2)
      return `- \`${before.engine.name}\`: peak RSS grows ${growth}× from ${size(before)} to ${size(after)} rows`
    })
    .join('\n')
}

const size = ({ rows }: Summary) => `${rows / 1e6}M`
const millions = (rowsPerSecond: number) => (rowsPerSecond / 1e6).toFixed(2)

export function markdown(heads: readonly string[], lines: ReadonlyArray<readonly string[]>): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map(line => line[column]!.length)),
  )
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [row(heads), row(widths.map(width => '-'.repeat(width))), ...lines.map(row)].join('\n')
}

const PEERS = ['@duckdb/node-api', 'nodejs-polars', 'csv-parse']

export function machineText(command: string, peers: readonly string[] = PEERS): string {
  const model = cpus()[0]?.model ?? 'unknown processor'
  const versions = [`Node ${process.versions.node}`, ...peers.map(name => `${name} ${versionOf(name)}`)].join(
    ', ',
  )
  const memoryGib = Math.round(totalmem() / 1024 ** 3)
  return [
    `${cpus().length} cores (${model}), ${memoryGib} GiB, ${process.platform} ${process.arch}.`,
    `${versions}. Command: \`${command}\`, ${new Date().toISOString().slice(0, 16)}Z.`,
  ].join('\n')
}

function versionOf(name: string): string {
  const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Puts the result between the markers of that name in the README. */
export function record(result: string, name = 'result'): void {
  const begin = `<!-- ${name}: begin -->`
  const end = `<!-- ${name}: end -->`
  const readme = readFileSync(README, 'utf8')
  const [before, rest] = readme.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${README} has lost its markers.`)
  writeFileSync(README, `${before}${begin}\n\n${result}\n\n${end}${after}`)
}
