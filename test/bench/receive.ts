/** `npm run bench:receive`: how many callbacks Daybook takes, against servers that were written by hand for it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startSigner } from '../support/signer.ts'
import { type Letter, letters, type Sent, sendAll, sendSteadily } from './callback-load.ts'
import { DATA_FOLDER } from './dataset.ts'
import { SERVER_KINDS, type ServerKind } from './receive-kinds.ts'
import { machineText, markdown, record, requirementsText } from './report.ts'
import { median, type Requirement } from './summary.ts'

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    /** Callbacks of one run. */
    count: { type: 'string', default: '4000' },
    /** One small round, for CI: that every callback is answered and kept is checked, ratios only printed. */
    quick: { type: 'boolean', default: false },
    'no-fail': { type: 'boolean', default: false },
    'no-record': { type: 'boolean', default: false },
  },
})

const CONNECTIONS = 16
const PATH = '/callbacks/binance-pay/main'
const RUNS = flags.quick ? 1 : Number.parseInt(flags.runs, 10)
const COUNT = flags.quick ? 300 : Number.parseInt(flags.count, 10)
const STEADY_SECONDS = flags.quick ? 2 : 8
/** Good callbacks of the steady load, as a part of what the machine was just seen to take. */
const STEADY_PART = 0.05
/** Forged callbacks for each good one. */
const FLOOD = 10

const signer = await startSigner(() => new Date())
const note = (text: string) => process.stderr.write(`${text}\n`)

interface Run {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

async function withServer<T>(
  kind: ServerKind,
  use: (server: { port: number; kept: () => number }) => Promise<T>,
): Promise<T> {
  mkdirSync(DATA_FOLDER, { recursive: true })
  const folder = mkdtempSync(join(DATA_FOLDER, 'receive-'))
  const child = spawn(
    process.execPath,
    ['--no-warnings', join(import.meta.dirname, 'receive-server.ts'), kind, folder, signer.url],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  try {
    return await use({ port: await portOf(child), kept: () => keptIn(folder) })
  } finally {
    const exited = once(child, 'exit')
    child.kill()
    await exited
    rmSync(folder, { recursive: true })
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const [line] = await Promise.race([
    once(child.stdout!, 'data'),
    once(child, 'exit').then(() => {
      throw new Error('The server has not started.')
    }),
  ])
  return Number.parseInt(String(line), 10)
}

/** The records of callbacks under a folder, whoever wrote them. */
function keptIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    ({ name, parentPath }) =>
      /^(PAY-.*|callback\.json)$/.test(name) && !/\/\.(tmp|versions)(\/|$)/.test(parentPath),
  ).length
}

const quantile = (sorted: readonly number[], part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!

function runOf(sent: readonly Sent[], wallMs: number): Run {
  const sorted = sent.map(({ ms }) => ms).sort((a, b) => a - b)
  return {
    perSecond: (sent.length * 1000) / wallMs,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }
}

function expectStatus(sent: readonly Sent[], status: number): void {
  const other = sent.find(answer => answer.status !== status)
  if (other !== undefined) throw new Error(`A callback was answered with ${other.status}, not ${status}.`)
}

/** All connections busy: warm with a tenth, then measured. Everything acknowledged must be there. */
function measure(kind: ServerKind, warm: readonly Letter[], all: readonly Letter[]): Promise<Run> {
  return withServer(kind, async ({ port, kept }) => {
    expectStatus((await sendAll(port, warm, CONNECTIONS)).sent, 200)
    const { sent, wallMs } = await sendAll(port, all, CONNECTIONS)
    expectStatus(sent, 200)
    const expected = /verify|nothing/.test(kind) ? 0 : warm.length + all.length
    if (kept() !== expected) throw new Error(`${kind} acknowledged ${expected} callbacks and kept ${kept()}.`)
    return runOf(sent, wallMs)
  })
}

function make(kind: 'payment' | 'report' | 'forged', count: number, first: number): Letter[] {
  return letters(signer, { kind, count, first, path: PATH })
}

note(`signing ${COUNT * 2} callbacks`)
const warm = make('payment', Math.ceil(COUNT / 10), 0)
const payments = make('payment', COUNT, 10_000_000)
const reports = make('report', COUNT, 20_000_000)

const runs = new Map<string, Run[]>()
const keep = (name: string, run: Run) => {
  note(
    `${name}: ${run.perSecond.toFixed(0)}/s, p50 ${run.p50Ms.toFixed(1)} ms, p99 ${run.p99Ms.toFixed(1)} ms`,
  )
  runs.set(name, [...(runs.get(name) ?? []), run])
}
for (let round = 1; round <= RUNS; round++) {
  note(`round ${round} of ${RUNS}`)
  for (const kind of Object.keys(SERVER_KINDS) as ServerKind[])
    keep(kind, await measure(kind, warm, payments))
  keep('daybook, reports', await measure('daybook', warm, reports))
}

/** Good callbacks at a steady rate, alone and then with ten forged ones for each. */
async function flooded(perSecond: number) {
  const count = perSecond * STEADY_SECONDS
  const [first, second, third] = [30_000_000, 40_000_000, 50_000_000].map(at => make('payment', count, at))
  const forged = make('forged', count * FLOOD, 60_000_000)
  return withServer('daybook', async ({ port, kept }) => {
    const good = { connections: CONNECTIONS, perSecond }
    await sendSteadily(port, first!, good)
    const quiet = await sendSteadily(port, second!, good)
    const [flood, refused] = await Promise.all([
      sendSteadily(port, third!, good),
      sendSteadily(port, forged, { connections: CONNECTIONS, perSecond: perSecond * FLOOD }),
    ])
    expectStatus(quiet, 200)
    expectStatus(flood, 200)
    expectStatus(refused, 401)
    if (kept() !== 3 * count)
      throw new Error(`${3 * count} good callbacks were acknowledged, ${kept()} kept.`)
    const wallMs = STEADY_SECONDS * 1000
    return { quiet: runOf(quiet, wallMs), flood: runOf(flood, wallMs), perSecond }
  })
}

const speedOf = (name: string) => median(runs.get(name)!.map(({ perSecond }) => perSecond))
const { quiet, flood, perSecond } = await flooded(Math.max(10, Math.round(speedOf('daybook') * STEADY_PART)))
await signer.stop()

const ratioText = (ratio: number) => `${ratio.toFixed(2)}×`

function atLeast(text: string, ratio: number, least: number): Requirement {
  return { text, measured: ratioText(ratio), holds: ratio >= least }
}

const p99Ratio = flood.p99Ms / quiet.p99Ms
const requirements: Requirement[] = [
  atLeast('daybook at least 0.8× express create', speedOf('daybook') / speedOf('express create'), 0.8),
  {
    text: `${perSecond} good and ${perSecond * FLOOD} forged callbacks a second: no good one lost, p99 at most 5× the quiet one`,
    measured: `none lost, ${ratioText(p99Ratio)} (${quiet.p99Ms.toFixed(1)} → ${flood.p99Ms.toFixed(1)} ms)`,
    holds: p99Ratio <= 5,
  },
]

const rows = [...runs].map(([name, list]) => {
  const speeds = list.map(({ perSecond }) => perSecond)
  const middle = (of: (run: Run) => number) => median(list.map(of)).toFixed(1)
  return [
    name,
    speedOf(name).toFixed(0),
    `${Math.min(...speeds).toFixed(0)}–${Math.max(...speeds).toFixed(0)}`,
    ratioText(speedOf(name) / speedOf('express create')),
    middle(run => run.p50Ms),
    middle(run => run.p99Ms),
  ]
})
const heads = ['server', 'callbacks/s', 'slowest–fastest', '× express create', 'p50 ms', 'p99 ms']
const notes = Object.entries(SERVER_KINDS).map(([name, says]) => `- \`${name}\`: ${says}`)
const result = [
  machineText('npm run bench:receive', []),
  `${COUNT.toLocaleString('en-US')} callbacks about payments a run, ${CONNECTIONS} connections, medians of ${RUNS} interleaved runs:`,
  markdown(heads, rows),
  [...notes, '- `daybook, reports`: callbacks about reports, each a folder and two objects'].join('\n'),
  requirementsText(requirements),
].join('\n\n')
process.stdout.write(`${result}\n`)
if (!flags.quick && !flags['no-record']) record(result, 'receive')
if (!flags.quick && !flags['no-fail'] && !requirements.every(({ holds }) => holds)) process.exitCode = 1
