import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeCrashMatrix } from '../contracts/crash-matrix.ts'

describeCrashMatrix('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-crash-store-'))
  return {
    env: { DAYBOOK_STORE: join(folder, 'store') },
    stop: () => rm(folder, { recursive: true, force: true }),
  }
})
