/** One export in a process of its own, to nowhere: `export-run.ts FORMAT FOLDER DAYS`; prints what it took. */
import { performance } from 'node:perf_hooks'
import { addDays } from '../../src/domain/calendar.ts'
import { rowsAsCsv, rowsAsXlsx } from '../../src/exports/rows.ts'
import { systemRandom } from '../../src/host.ts'
import { fileStore } from '../../src/stores/file-store.ts'
import { FIRST_DAY, REF } from './export-data.ts'

const [format = '', folder = '', days = ''] = process.argv.slice(2)
const range = { start: FIRST_DAY, end: addDays(FIRST_DAY, Number.parseInt(days, 10)) }
const write = format === 'csv' ? rowsAsCsv : rowsAsXlsx
let rows = 0
let bytes = 0
const began = performance.now()
const made = write(fileStore(folder, { random: systemRandom }), REF, range, {
  onProgress: done => {
    rows = done.rows
  },
})
for await (const chunk of made) bytes += chunk.length
const wallMs = performance.now() - began
process.stdout.write(JSON.stringify({ rows, bytes, wallMs, peakRssKib: process.resourceUsage().maxRSS }))
