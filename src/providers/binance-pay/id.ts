/**
 * Ids of reports: digit text, always. The 18-digit ids seen carry their creation second above bit 31,
 * counted from 2020: enough to match a lost answer with its callback, never a reason to refuse an id.
 */

const EPOCH_SECONDS = 1_577_836_800n
const SEQUENCE_BITS = 31n

/** The second in which an id was made, or `undefined` when its text cannot be such an id. */
export function createdAt(id: string): Date | undefined {
  if (!/^\d{17,19}$/.test(id)) return undefined
  return new Date(Number((BigInt(id) >> SEQUENCE_BITS) + EPOCH_SECONDS) * 1000)
}
