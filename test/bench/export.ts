/** `npm run bench:export`: what exporting rows takes in time and memory, whose peak must not grow with them. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { DATA_FOLDER } from './dataset.ts'
import { ensureDays, ROWS_A_DAY } from './export-data.ts'
import { machineText, markdown, record, requirementsText } from './report.ts'

const { values: flags } = parseArgs({
  options: {
    'no-fail': { type: 'boolean', default: false },
    'no-record': { type: 'boolean', default: false },
  },
})

const DAYS = { small: 2, large: 20 }
/** Node's heap grows with how long it may put off collecting; a leak of rows would show as tenfold. */
const MOST_GROWTH = 1.5

const folder = join(DATA_FOLDER, `export-${DAYS.large}x${ROWS_A_DAY}`)
await ensureDays(folder, DAYS.large)

interface Run {
  readonly rows: number
  readonly bytes: number
  readonly wallMs: number
  readonly peakRssKib: number
}

async function measure(format: string, days: number): Promise<Run> {
  const args = ['--no-warnings', join(import.meta.dirname, 'export-run.ts'), format, folder, String(days)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const run = JSON.parse(stdout) as Run
  if (run.rows !== days * ROWS_A_DAY) throw new Error(`${format}: ${run.rows} rows of ${days * ROWS_A_DAY}.`)
  return run
}

const lines: string[][] = []
const requirements = []
for (const format of ['csv', 'xlsx']) {
  const small = await measure(format, DAYS.small)
  const large = await measure(format, DAYS.large)
  for (const { rows, bytes, wallMs, peakRssKib } of [small, large]) {
    const speed = Math.round(rows / wallMs)
    lines.push([
      format,
      rows.toLocaleString('en-US'),
      `${speed}`,
      (bytes / 1e6).toFixed(1),
      `${Math.round(peakRssKib / 1024)}`,
    ])
  }
  const growth = large.peakRssKib / small.peakRssKib
  requirements.push({
    text: `${format}: the peak grows at most ${MOST_GROWTH}× with ten times the rows`,
    measured: `${growth.toFixed(2)}×`,
    holds: growth <= MOST_GROWTH,
  })
}
const result = [
  machineText('npm run bench:export', []),
  markdown(['format', 'rows', 'thousand rows/s', 'output MB', 'peak RSS MiB'], lines),
  requirementsText(requirements),
].join('\n\n')
process.stdout.write(`${result}\n`)
if (!flags['no-record']) record(result, 'export')
if (!flags['no-fail'] && !requirements.every(({ holds }) => holds)) process.exitCode = 1
