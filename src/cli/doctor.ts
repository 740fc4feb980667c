/** `daybook doctor`: tries everything the configuration points at, before something depends on it. */
import type { Command } from 'commander'
import { findFault } from '../domain/errors.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'
import { countOf } from './terminal.ts'

export function doctorCommand(): Command {
  return createCommand('doctor', 'try the store, the clock, the keys and the credentials; spends no quota')
    .addHelpText(
      'after',
      `
Leaves a few small objects under doctor/ in the store, because nothing is ever deleted.`,
    )
    .action(exitsWith(runDoctor))
}

interface Finding {
  readonly check: string
  readonly result: 'ok' | 'failed'
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
  const name = `store ${context.store.address}`
  try {
    const findings = await probeStore(context.store, context)
    return findings.map(({ check, passed, says }) =>
      passed ? ok(`${name}, ${check}`) : failed(`${name}, ${check}`, says),
    )
  } catch (error) {
    return [failed(name, saysOf(error))]
  }
}

/** The clock window of a provider that names none: the strictest documented one. */
const CLOCK_WINDOW_MS = 1_000

/** What a header in whole seconds may be off by itself. */
const HEADER_LAG_MS = 500

async function examineAccount({ ref, provider }: WiredAccount): Promise<Finding[]> {
  const name = `${ref.provider}/${ref.account}`
  try {
    const { serials, aheadMs = 0, clockWindowMs = CLOCK_WINDOW_MS } = await provider.probe()
    const skew = `the provider's clock is ${(Math.abs(aheadMs) / 1000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`
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
