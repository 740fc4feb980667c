/** What wallets hold: an opening amount and every row since, so that balances move as the reports say. */
import { addDays, type Day, dayOf, startOfDay } from '../domain/calendar.ts'
import { ledgerRows } from './ledger.ts'

export interface WalletBooks {
  /** Units of 10^-8 by wallet and coin, at an instant: rows of its second have happened. */
  at(merchant: string, rowsPerDay: number, atMs: number): Map<string, Map<string, bigint>>
}

/** Enough that no wallet is ever overdrawn. */
const OPENING_UNITS = 1_000_000n * 100_000_000n
const OPENING_COINS = ['USDT', 'USDC', 'BTC', 'BNB', '1INCH', 'LDBNB', 'LDUSDT']
const WALLETS = ['Spot', 'Funding']

type Sums = Map<string, bigint>

export function openWalletBooks(seed: string, openedOn: Day): WalletBooks {
  /** What each book held as its days closed. */
  const closings = new Map<string, { through: Day; sums: Sums }>()

  function rowsInto(sums: Sums, merchant: string, rowsPerDay: number, fromMs: number, toMs: number): Sums {
    const query = { seed, merchant, rowsPerDay, wallet: undefined, descending: false }
    const range = { fromSecond: Math.floor(fromMs / 1000), toSecond: Math.floor(toMs / 1000) }
    for (const rows of ledgerRows({ ...query, ...range })) {
      for (const { wallet, coin, units } of rows) {
        const name = `${wallet} ${coin}`
        sums.set(name, (sums.get(name) ?? 0n) + units)
      }
    }
    return sums
  }

  /** The sums at the start of `day`, counted on from the last day that was asked for. */
  function closingBefore(day: Day, merchant: string, rowsPerDay: number): Sums {
    const name = `${merchant} ${rowsPerDay}`
    const known = closings.get(name)
    const from =
      known !== undefined && known.through <= day ? known : { through: openedOn, sums: openingSums() }
    if (from.through >= day) return from.sums
    const sums = new Map(from.sums)
    for (let at = from.through; at < day; at = addDays(at, 1)) {
      const [start, end] = [startOfDay(at).getTime(), startOfDay(addDays(at, 1)).getTime()]
      rowsInto(sums, merchant, rowsPerDay, start, end)
    }
    closings.set(name, { through: day, sums })
    return sums
  }

  return {
    at(merchant, rowsPerDay, atMs) {
      const day = dayOf(new Date(atMs))
      const sums = new Map(closingBefore(day, merchant, rowsPerDay))
      const start = startOfDay(day).getTime()
      const end = (Math.floor(atMs / 1000) + 1) * 1000
      if (day >= openedOn) rowsInto(sums, merchant, rowsPerDay, start, end)
      const wallets = new Map(WALLETS.map(wallet => [wallet, new Map<string, bigint>()]))
      for (const [name, units] of [...sums].sort(([one], [other]) => (one < other ? -1 : 1))) {
        const [wallet = '', coin = ''] = name.split(' ')
        wallets.get(wallet)?.set(coin, units)
      }
      return wallets
    },
  }
}

function openingSums(): Sums {
  return new Map(
    WALLETS.flatMap(wallet => OPENING_COINS.map(coin => [`${wallet} ${coin}`, OPENING_UNITS] as const)),
  )
}
