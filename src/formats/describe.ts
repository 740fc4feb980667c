/**
 * What a file looks like, for people who must tell us about their first real one: everything about its
 * form and not a single id or amount. It never throws for a file that is refused; it says why.
 */
import { dayOfMicros } from '../domain/calendar.ts'
import { type AddedColumns, type ColumnNames, columnNames } from '../domain/column-names.ts'
import { findFault } from '../domain/errors.ts'
import { categoryOf, UNKNOWN_CATEGORY } from '../domain/operations.ts'
import { type ByteSource, readBytes, watchedSource } from './byte-source.ts'
import { type Container, openContainer } from './container.ts'
import type { DigestProgress } from './digest.ts'
import { type FileKind, HEAD_BYTES, kindOf } from './file-kind.ts'
import { type FileLimits, limitsOf } from './limits.ts'
import { describePart, type PartDescription } from './part-description.ts'
import { blotted, tally } from './shapes.ts'
import { type PartSummary, readStatement, type StatementItem } from './statement.ts'
import { formatZone } from './zone.ts'

export interface DescribeOptions {
  /** Minutes east of UTC of times that tell no zone. */
  readonly zoneMinutes?: number
  readonly limits?: Partial<FileLimits>
  /** Names of columns beside those of the table, by meaning. */
  readonly columns?: AddedColumns
  /** Called as the work goes on, with bytes of the file and rows done so far. */
  readonly onProgress?: (progress: DigestProgress) => void
}

export interface FileDescription {
  readonly kind: FileKind
  readonly bytes: number
  /** One entry a part; empty when the container is refused. */
  readonly parts: readonly PartDescription[]
  readonly notes: readonly string[]
  /** What reading it as a statement gives; of a file that is refused, as far as it got. */
  readonly statement: StatementDescription
  /** Why it cannot be read, or `null`. */
  readonly fault: FaultDescription | null
}

export interface FaultDescription {
  readonly code: string
  readonly reason: string
  readonly message: string
}

export interface StatementDescription {
  readonly layouts: string[]
  readonly zones: Array<{ zone: string; from: string }>
  readonly rows: number
  readonly unreadable: Record<string, number>
  readonly firstDay: string | null
  readonly lastDay: string | null
  readonly wallets: Record<string, number>
  /** How many different assets. */
  readonly assets: number
  readonly operations: Array<{ operation: string; category: string; known: boolean; rows: number }>
}

const NAMES = 500

export async function describeFile(
  source: ByteSource,
  options: DescribeOptions = {},
): Promise<FileDescription> {
  const limits = limitsOf(options.limits)
  const names = columnNames(options.columns)
  const { watched, onRecords } = watchTwoReadings(source, options)
  const kind = kindOf(await readBytes(source, 0, HEAD_BYTES))
  const opened = await attempt(() => openContainer(watched, limits, names))
  const parts: PartDescription[] = []
  const looked = await attempt(() => describeParts(opened.result, limits, names, parts, onRecords))
  const { statement, fault } = await describeStatement(watched, options, onRecords)
  return {
    kind,
    bytes: source.size,
    parts,
    notes: opened.result?.notes ?? [],
    statement,
    fault: opened.fault ?? looked.fault ?? fault,
  }
}

/** The file is read for its shapes and then as a statement: each reading is half of the work. */
function watchTwoReadings(source: ByteSource, { onProgress }: DescribeOptions) {
  let bytes = 0
  let rows = 0
  const watched = watchedSource(source, count => (bytes += count))
  function onRecords(count: number): void {
    rows += count
    onProgress?.({ bytes: Math.min(source.size, Math.round(bytes / 2)), rows: Math.round(rows / 2) })
  }
  return { watched, onRecords }
}

async function describeParts(
  container: Container | undefined,
  limits: FileLimits,
  names: ColumnNames,
  parts: PartDescription[],
  onRecords: (count: number) => void,
): Promise<void> {
  for (const part of container?.parts ?? []) parts.push(await describePart(part, limits, names, onRecords))
}

async function describeStatement(
  source: ByteSource,
  options: DescribeOptions,
  onRecords: (count: number) => void,
) {
  const summaries: PartSummary[] = []
  const seen = rowObserver()
  const { fault } = await attempt(async () => {
    const { zoneMinutes, limits, columns } = options
    const statement = readStatement(source, {
      zoneMinutes,
      limits,
      columns,
      onPart: part => summaries.push(part),
    })
    for await (const items of statement) {
      items.forEach(seen.see)
      onRecords(items.length)
    }
  })
  const layouts = new Set(summaries.flatMap(({ layout }) => layout?.name ?? []))
  const zones = new Map(
    summaries.flatMap(({ zone }) =>
      zone === undefined ? [] : [[`${zone.offset} ${zone.from}`, zone] as const],
    ),
  )
  const statement: StatementDescription = {
    layouts: [...layouts].sort(),
    zones: [...zones.values()].map(({ offset, from }) => ({ zone: formatZone(offset), from })),
    ...seen.describe(),
  }
  return { statement, fault }
}

function rowObserver() {
  const unreadable = tally(50)
  const wallets = tally(NAMES)
  const operations = tally(NAMES)
  const assets = new Set<string>()
  let rows = 0
  let first: bigint | undefined
  let last: bigint | undefined

  function see(item: StatementItem): void {
    rows += 1
    if (item.kind === 'unreadable') {
      unreadable.add(item.reason)
      return
    }
    const { micros, wallet, operation, remark, asset } = item.row
    first = first === undefined || micros < first ? micros : first
    last = last === undefined || micros > last ? micros : last
    wallets.add(blotted(wallet))
    operations.add(`${categoryOf(operation, remark)}\n${blotted(operation)}`)
    if (assets.size < 10_000) assets.add(asset)
  }

  function describe() {
    return {
      rows,
      unreadable: unreadable.list(),
      firstDay: first === undefined ? null : dayOfMicros(first),
      lastDay: last === undefined ? null : dayOfMicros(last),
      wallets: wallets.list(),
      assets: assets.size,
      operations: Object.entries(operations.list()).map(([key, count]) => {
        const [category = '', operation = ''] = key.includes('\n') ? key.split('\n') : ['', key]
        return { operation, category, known: category !== UNKNOWN_CATEGORY, rows: count }
      }),
    }
  }

  return { see, describe }
}

/** Runs `work`; a fault of the file becomes a part of the answer, anything else is thrown. */
async function attempt<T>(
  work: () => Promise<T>,
): Promise<{ result: T | undefined; fault: FaultDescription | null }> {
  try {
    return { result: await work(), fault: null }
  } catch (error) {
    const fault = findFault(error)
    if (fault === undefined || !fault.code.startsWith('file-')) throw error
    const reason = String(fault.details.reason ?? fault.code)
    return { result: undefined, fault: { code: fault.code, reason, message: fault.message } }
  }
}
