import { AsyncLocalStorage } from 'node:async_hooks'

/** What one deed of a process does, told apart from what the same process does at the same time. */
export interface Thread {
  /** The slot that it tried to claim last: the one that it asks with, if it asks. */
  slotKey?: string
}

export const thread = new AsyncLocalStorage<Thread>()
