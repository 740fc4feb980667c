/**
 * What an operation name means. The names stand in `operations.json`: those marked `seen` were found in
 * real exports, the others only in other people's parsers, so they are hints.
 */
import operations from './operations.json' with { type: 'json' }

/** The category of a name nobody has listed; such rows are kept and counted. */
export const UNKNOWN_CATEGORY = 'unknown'

const CATEGORIES = new Map(operations.map(({ operation, category }) => [fold(operation), category]))

/** The remark that marks a `Transfer` as a payment rather than a move between own wallets. */
const PAY_REMARK = /^binance pay\b/i

/** No more than so many characters of a remark have a say in the category. */
export const TELLING_CHARACTERS = 12

/** The category of a row, from its operation and, where one name serves two purposes, its remark. */
export function categoryOf(operation: string, remark: string): string {
  const name = fold(operation)
  if (name === 'transfer') return PAY_REMARK.test(remark) ? 'pay' : 'transfer'
  return CATEGORIES.get(name) ?? UNKNOWN_CATEGORY
}

/** The wallet names that exports have used for the same wallet, under the newest of them. */
const WALLETS = new Map(
  Object.entries({
    Spot: ['Spot'],
    Funding: ['Funding'],
    Earn: ['Earn'],
    Savings: ['Savings'],
    Pool: ['Pool'],
    P2P: ['P2P'],
    Card: ['Card'],
    'USD-M Futures': ['USD-M Futures', 'USD-MFutures', 'USDT-Futures'],
    'Coin-M Futures': ['Coin-M Futures', 'Coin-MFutures', 'COIN-M'],
    'Cross Margin': ['Cross Margin', 'CrossMargin'],
    'Isolated Margin': ['Isolated Margin', 'IsolatedMargin'],
    Strategy: ['Strategy'],
    'Spot Lead': ['Spot Lead'],
    'Spot Copy': ['Spot Copy'],
    Options: ['Options'],
  }).flatMap(([wallet, names]) => names.map(name => [fold(name), wallet] as const)),
)

/** The wallet's newest name, or the name as it stands when nobody has listed it. */
export function walletOf(name: string): string {
  return WALLETS.get(fold(name)) ?? name
}

export function isKnownWallet(name: string): boolean {
  return WALLETS.has(fold(name))
}

/** Names match whatever their case and spacing: both have drifted between exports. */
function fold(name: string): string {
  return name.trim().toLowerCase().replace(/\s+/g, ' ')
}
