/** The process of one run: `node run-engine.ts <engine> <file> <folder>`; its last line is what it used. */
import { enableCompileCache } from 'node:module'
import { engineNamed } from './engines.ts'

// As the command line does; engines are loaded after it.
enableCompileCache()

const [name, path, folder] = process.argv.slice(2)
const engine = engineNamed(name!)
const run = await engine.load()
await run({ path: path!, folder: folder!, threads: engine.threads })
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
// Some engines keep threads that would hold the process; what they wrote is complete here.
process.stdout.write(
  `${JSON.stringify({ cpuMicros: userCPUTime + systemCPUTime, maxRssKib: maxRSS })}\n`,
  () => process.exit(0),
)
