/** Daybook itself, as a stage calls it: one data file a day, sorted, with proof of counts and sums. */
import { type DigestOptions, digestStatement } from '../../src/formats/digest.ts'
import { fileSource } from '../support/statement-source.ts'
import type { EngineJob } from './engine.ts'
import { RANGE } from './statement-bytes.ts'

export async function runDaybook({ path, folder, threads }: EngineJob): Promise<void> {
  const options: DigestOptions & { threads: number } = { range: RANGE, folder, metadata: {}, threads }
  await digestStatement(fileSource(path), options)
}
