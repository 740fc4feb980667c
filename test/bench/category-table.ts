/** Operations and their categories for engines that join them. */
import operations from '../../src/domain/operations.json' with { type: 'json' }
import { categoryOf } from '../../src/domain/operations.ts'

/** A `Transfer` is a transfer here; a remark that begins with `Binance Pay` makes it a payment. */
export const CATEGORY_TABLE: ReadonlyMap<string, string> = new Map(
  operations.map(({ operation }) => [operation, categoryOf(operation, '')]),
)
