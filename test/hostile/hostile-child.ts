/** Reads one hostile file and tells what became of it: `hostile-child.ts NAME FOLDER [FILE]`. */
import { isFault } from '../../src/domain/errors.ts'
import { digestStatement } from '../../src/formats/digest.ts'
import { fileSource } from '../support/statement-source.ts'
import { HOSTILE_FILES } from './hostile-files.ts'

const [name = '', folder = '', path] = process.argv.slice(2)
const source = path === undefined ? await HOSTILE_FILES[name]!.make() : fileSource(path)
const start = performance.now()
const outcome = await digestStatement(source, {
  range: { start: '2026-10-01', end: '2026-10-02' },
  folder,
  metadata: {},
  ...(path === undefined ? {} : { threads: 1 }),
}).then(
  ({ rows }) =>
    `rows: ${Object.entries(rows)
      .map(([key, count]) => `${key} ${count}`)
      .join(', ')}`,
  (error: unknown) => {
    if (!isFault(error, 'file-unreadable') && !isFault(error, 'file-damaged')) throw error
    return `${error.code}/${error.details.reason}`
  },
)
const seconds = (performance.now() - start) / 1000
console.log(JSON.stringify({ outcome, seconds, peakMib: process.resourceUsage().maxRSS / 1024 }))
