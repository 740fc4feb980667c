/**
 * One process that submits: many requests at once, on a folder and a sandbox that others use too.
 * argv: store folder, sandbox address, start of the clock, the process's number, how many requests, `same` or `different`
 */

import { loadConfig } from '../../src/config/config.ts'
import { addDays } from '../../src/domain/calendar.ts'
import { submit } from '../../src/stages/submit.ts'
import { wire } from '../../src/wiring.ts'
import { shiftedClock } from './shifted-clock.ts'
import { CREDENTIALS } from './test-daybook.ts'

const [store = '', url = '', start = '', number = '0', count = '0', questions = 'different'] =
  process.argv.slice(2)

const daybook = await wire(
  loadConfig({
    DAYBOOK_STORE: store,
    BINANCE_PAY_BASE_URL: url,
    BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
    BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
    DAYBOOK_LOG_LEVEL: 'silent',
  }),
  { clock: shiftedClock(start) },
)
const [account] = daybook.accounts

async function ask(index: number): Promise<string> {
  const span = questions === 'same' ? 1 : 1 + (index % 60)
  const offset = questions === 'same' ? 0 : Number.parseInt(number, 10) + 8 * Math.floor(index / 60)
  const startDay = addDays('2026-07-01', offset)
  const request = { range: { start: startDay, end: addDays(startDay, span) }, wallets: 'all' as const }
  const outcome = await submit(daybook.context, account!, { request, reason: 'race', again: false })
  return outcome.outcome
}

const outcomes = await Promise.all(
  Array.from({ length: Number.parseInt(count, 10) }, (_, index) => ask(index)),
)
process.stdout.write(JSON.stringify(outcomes))
await daybook.close()
