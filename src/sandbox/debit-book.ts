/** The contracts there are, and the notices and debits that were taken. */

export interface SandboxContract {
  readonly contractId: string
  readonly bizStatus: 'INITIAL' | 'CONTRACT_SIGNED' | 'CONTRACT_TERMINATED'
  /** Scaled by 10^8. */
  readonly limitUnits: bigint
}

/** Every merchant has these; their ids are above 2^53 and do not survive a double. */
export const CONTRACTS: readonly SandboxContract[] = [
  { contractId: '205638372306477057', bizStatus: 'CONTRACT_SIGNED', limitUnits: 5_000_000_000n },
  { contractId: '205638372306477059', bizStatus: 'INITIAL', limitUnits: 5_000_000_000n },
  { contractId: '205638372306477061', bizStatus: 'CONTRACT_TERMINATED', limitUnits: 5_000_000_000n },
]

export interface DebitEntry {
  readonly kind: 'notice' | 'debit'
  readonly merchant: string
  readonly requestId: string
  readonly contractId: string
  /** As it was written in the body. */
  readonly amount: string
  readonly orderId: string
  readonly atMs: number
}

export interface DebitBook {
  all(): readonly DebitEntry[]
  find(kind: DebitEntry['kind'], merchant: string, requestId: string): DebitEntry | undefined
  notice(merchant: string, orderId: string): DebitEntry | undefined
  add(entry: DebitEntry): void
}

export function openDebitBook(): DebitBook {
  const entries: DebitEntry[] = []
  return {
    all: () => [...entries],
    find: (kind, merchant, requestId) =>
      entries.find(
        entry => entry.kind === kind && entry.merchant === merchant && entry.requestId === requestId,
      ),
    notice: (merchant, orderId) =>
      entries.find(
        entry => entry.kind === 'notice' && entry.merchant === merchant && entry.orderId === orderId,
      ),
    add: entry => void entries.push(entry),
  }
}
