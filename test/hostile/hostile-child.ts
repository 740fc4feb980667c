/** Reads one hostile file and tells what became of it: `hostile-child.ts NAME FOLDER`. */
import { isFault } from '../../src/domain/errors.ts'
import { digestStatement } from '../../src/formats/digest.ts'
import { HOSTILE_FILES } from './hostile-files.ts'

const [name = '', folder = ''] = process.argv.slice(2)
const source = await HOSTILE_FILES[name]!.make()
const start = performance.now()
const outcome = await digestStatement(source, {
  range: { start: '2026-10-01', end: '2026-10-02' },
  folder,
  metadata: {},
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
