/** Checks one seed after the other and says so, so that whoever watches can tell a hang: `fuzz-child.ts SEED`. */
import { checkInput } from './check-input.ts'
import { madeInput } from './made-input.ts'

export interface FuzzReport {
  readonly seed: number
  readonly outcome?: string
  readonly failure?: string
  readonly rssMib: number
}

const report = (message: FuzzReport) => process.send?.(message)
const rssMib = () => process.memoryUsage.rss() / 1024 ** 2

for (let seed = Number.parseInt(process.argv[2] ?? '1', 10); ; seed++) {
  report({ seed, rssMib: rssMib() })
  try {
    report({ seed, outcome: await checkInput(await madeInput(seed)), rssMib: rssMib() })
  } catch (error) {
    report({
      seed,
      failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
      rssMib: rssMib(),
    })
  }
}
