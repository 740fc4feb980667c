/** A sandbox in a process of its own, to be killed: prints its address, then waits. */
import { startTestSandbox } from './sandbox-client.ts'

const [stateDir = '', callbackUrl = ''] = process.argv.slice(2)
const knobs = { processingMs: 1500, callbackUrl }
const sandbox = await startTestSandbox({ stateDir, knobs })
process.stdout.write(`${sandbox.url}\n`)
