/** `daybook doctor`: tries everything the configuration points at, before something depends on it. */
import type { Command } from 'commander'
import { findFault } from '../domain/errors.ts'
import { countOf } from '../domain/quantity-text.ts'
import type { StoreLevel } from '../stores/object-store.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

export function doctorCommand(): Command {
  return createCommand('doctor', 'try the store, the clock, the keys and the credentials; spends no quota')
    .addHelpText(
      'after',
      `
Leaves a few small objects under doctor/ in the store, and one of 8 MiB, because nothing is ever deleted. Of a
bucket it tells too how far it protects its objects from others; Daybook works without that.`,
    )
    .action(exitsWith(runDoctor))
}

interface Finding {
  readonly check: string
  /** `note`: worth knowing, and no failure. */
  readonly result: 'ok' | 'note' | 'failed'
  readonly says: string
}

async function runDoctor(options: CommonOptions): Promise<ExitCode> {
  const { withSession } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const findings = await examineStore(daybook)
    for (const account of daybook.accounts) findings.push(...(await examineAccount(account)))
    const failed = findings.filter(({ result }) => result === 'failed').length
    const lines = findings.map(
      ({ check, result, says }) => `${result.padEnd(6)}  ${check}${says === '' ? '' : `: ${says}`}`,
    )
    terminal.result('doctor', { healthy: failed === 0, findings }, lines)
    terminal.say(failed === 0 ? 'All well.' : `${countOf(failed, 'check')} failed.`)
    return failed === 0 ? EXIT.done : EXIT.failed
  })
}

async function examineStore({ context }: Daybook): Promise<Finding[]> {
  const { probeStore } = await import('../stores/probe.ts')
  const { store } = context
  const name = `store ${store.address}`
  try {
    const probed = await probeStore(store, context)
    const findings = probed.map(({ check, passed, says }) =>
      passed ? ok(`${name}, ${check}`) : failed(`${name}, ${check}`, says),
    )
    if (probed.some(({ passed }) => !passed))
      findings.push(failed(`${name}, fit for use`, `Do not use it. ${KNOWN_STORES}`))
    const level = await store.examine?.()
    return level === undefined ? findings : [...findings, ...levelOf(name, level)]
  } catch (error) {
    return [failed(name, saysOf(error))]
  }
}

const KNOWN_STORES =
  'Known to keep these promises: a folder, Amazon S3, and Ceph 20.2 in a bucket without versioning. Cloudflare R2 and MinIO document them. Known not to: Ceph with versioning, Google Cloud Storage by its S3 interface, Garage, Backblaze B2.'

/** S3 refuses requests that are a quarter of an hour off, and days and marks are filed by this machine's clock. */
const STORE_CLOCK_MS = 60_000

function levelOf(name: string, { aheadMs, versioning, lock, overwriting }: StoreLevel): Finding[] {
  const note = (check: string, says: string): Finding => ({
    check: `${name}, ${check}`,
    result: 'note',
    says,
  })
  return [
    ...(aheadMs === undefined
      ? [note('clock', 'it does not tell its time')]
      : [
          Math.abs(aheadMs) <= STORE_CLOCK_MS
            ? ok(`${name}, clock`, skewText('store', aheadMs))
            : failed(`${name}, clock`, skewText('store', aheadMs)),
        ]),
    note('versioning', versioning),
    note('Object Lock', lock),
    note('policy', POLICY_SAYS[overwriting]),
  ]
}

const POLICY_SAYS = {
  denied: 'writes without a condition are denied',
  allowed: 'writes without a condition are allowed: others that may write can overwrite facts',
  unknown: 'what it does with writes without a condition could not be found out',
} as const satisfies Record<StoreLevel['overwriting'], string>

function skewText(whose: string, aheadMs: number): string {
  return `the ${whose}'s clock is ${(Math.abs(aheadMs) / 1000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`
}

/** The clock window of a provider that names none: the strictest documented one. */
const CLOCK_WINDOW_MS = 1_000

/** What a header in whole seconds may be off by itself. */
const HEADER_LAG_MS = 500

async function examineAccount({ ref, provider }: WiredAccount): Promise<Finding[]> {
  const name = `${ref.provider}/${ref.account}`
  try {
    const { serials, aheadMs = 0, clockWindowMs = CLOCK_WINDOW_MS } = await provider.probe()
    const skew = skewText('provider', aheadMs)
    return [
      ok(`${name}, credentials`),
      ...keysOf(name, serials, provider.callbacks !== undefined),
      Math.abs(aheadMs) <= clockWindowMs + HEADER_LAG_MS
        ? ok(`${name}, clock`, `${skew}, as far as a header in whole seconds tells`)
        : failed(`${name}, clock`, skew),
    ]
  } catch (error) {
    return [failed(`${name}, credentials`, saysOf(error))]
  }
}

/** Whoever sends callbacks must have a key; of the others only those that sign have one. */
function keysOf(name: string, serials: readonly string[], needed: boolean): Finding[] {
  if (serials.length > 0) return [ok(`${name}, keys`, countOf(serials.length, 'key'))]
  return needed ? [failed(`${name}, keys`, 'no key that can be trusted')] : []
}

function ok(check: string, says = ''): Finding {
  return { check, result: 'ok', says }
}

function failed(check: string, says: string): Finding {
  return { check, result: 'failed', says }
}

/** A fault in words; a bug is passed on. */
function saysOf(error: unknown): string {
  const fault = findFault(error)
  if (fault === undefined) throw error
  return fault.message
}
