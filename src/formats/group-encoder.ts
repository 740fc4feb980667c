/** Where row groups are worked on: here, or in worker threads. The bytes are the same. */
import { groupWorker, type WorkedGroup } from './group-work.ts'
import { newGroup, type RowGroup } from './row-group.ts'
import { kernelIdentifier } from './identity-kernel.ts'
import { plainIdentifier } from './row-identity.ts'

export interface GroupEncoder {
  /** A group to fill; waits until one is free. */
  take(): Promise<RowGroup>
  /** Works on a group that was taken, and frees it. */
  encode(group: RowGroup): Promise<WorkedGroup>
  close(): Promise<void>
}

export function inlineEncoder(): GroupEncoder {
  const group = newGroup()
  const work = groupWorker(kernelIdentifier(plainIdentifier()))
  return { take: async () => group, encode: async full => work(full), close: async () => {} }
}
