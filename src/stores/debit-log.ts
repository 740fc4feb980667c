/** What is known of one announced debit: what was meant, and what every try came to. */
import { instantName } from '../domain/balance.ts'
import { type DebitIntent, type DebitResult, debitIntent, debitResult } from '../domain/debit.ts'
import { type AccountRef, debitKeys } from '../domain/keys.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

export interface DebitLog {
  intent(): Promise<DebitIntent | undefined>
  /** Records what is meant unless something is; answers what stands. */
  intend(intent: DebitIntent): Promise<DebitIntent>
  /** Records one more result; none is ever replaced. */
  keep(result: DebitResult): Promise<void>
  /** The first try that the provider took. */
  notified(): Promise<{ orderId: string; frozenUntil: Date } | undefined>
}

export function debitLog(store: ObjectStore, ref: AccountRef, requestId: string): DebitLog {
  const keys = debitKeys(ref, requestId)
  const read = async () => (await readRecord(store, keys.intent, debitIntent))?.record
  return {
    intent: read,

    async intend(intent) {
      await createRecord(store, keys.intent, intent)
      return (await read()) ?? intent
    },

    async keep(result) {
      const name = instantName(new Date(result.sentAt))
      for (let number = 1; ; number++) {
        const key = keys.result(number === 1 ? name : `${name}-${number}`)
        if ((await createRecord(store, key, result)) === 'created') return
      }
    },

    async notified() {
      for await (const { key } of store.list(keys.resultsPrefix)) {
        const result = (await readRecord(store, key, debitResult))?.record
        if (result?.outcome !== 'notified' || result.orderId === null || result.frozenUntil === null) continue
        return { orderId: result.orderId, frozenUntil: new Date(result.frozenUntil) }
      }
      return undefined
    },
  }
}
