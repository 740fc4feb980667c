/** What happens in a merchant's wallets: each event makes one row, or several that belong together. */
import type { Chance } from './chance.ts'

/** One balance change. `units` is the amount scaled by 10^8; `second` counts from 1970. */
export interface LedgerRow {
  readonly second: number
  readonly wallet: 'Spot' | 'Funding'
  readonly operation: string
  readonly coin: string
  readonly units: bigint
  readonly remark: string
}

/** Makes the rows of one event that begins in `second`. */
type Event = (second: number, chance: Chance) => LedgerRow[]

const DIGITS = '0123456789'
const ORDER_LETTERS = `ABCDEFGHIJKLMNOPQRSTUVWXYZ${DIGITS}`
const PAID_COINS = ['USDT', 'USDT', 'USDT', 'BNB', 'BTC', 'USDC'] as const
const SMALL_COINS = ['LDBNB', '1INCH', 'BTC', 'BNB', 'LDUSDT'] as const
const WALLETS = ['Funding', 'Funding', 'Funding', 'Spot'] as const
const ODD_OPERATIONS = ['Quasar Points Conversion', 'Merchant Loyalty Clawback', 'Ticket Pool Adj.'] as const
const ODD_REMARKS = [
  'Gift, with thanks',
  'The "blue" voucher',
  'ETH ETF 分发',
  'Via CashBalance -  Wallet',
  'Rückerstattung; Nr. 7, "Eilt"',
] as const

/** A positive amount with `places` digits before its trailing zeros are filled up to 8 decimals. */
function amount(chance: Chance, limit: number, places: number): bigint {
  return BigInt(1 + chance.below(limit)) * 10n ** BigInt(8 - places)
}

const orderRemark = (chance: Chance) => `Binance Pay - P_${chance.text(16, ORDER_LETTERS)}`

const acquiring: Event = (second, chance) => [
  {
    second,
    wallet: chance.pick(WALLETS),
    operation: 'Merchant Acquiring',
    coin: chance.pick(PAID_COINS),
    units: amount(chance, 250_000, chance.pick([2, 2, 3, 8])),
    remark: chance.below(4) === 0 ? 'Binance Pay' : orderRemark(chance),
  },
]

/** A payment in two coins is two rows with one order id. */
const splitPayment: Event = (second, chance) => {
  const remark = orderRemark(chance)
  const leg = (coin: string): LedgerRow => ({
    second,
    wallet: 'Funding',
    operation: 'Merchant Acquiring',
    coin,
    units: amount(chance, 90_000, 3),
    remark,
  })
  return [leg('USDT'), leg('BNB')]
}

const refund: Event = (second, chance) => [
  {
    second,
    wallet: chance.pick(WALLETS),
    operation: chance.pick(['Transfer', 'Send']),
    coin: chance.pick(PAID_COINS),
    units: -amount(chance, 60_000, 2),
    remark: orderRemark(chance),
  },
]

const deposit: Event = (second, chance) => [
  {
    second,
    wallet: 'Spot',
    operation: 'Deposit',
    coin: 'USDT',
    units: amount(chance, 500_000, 1),
    remark: '',
  },
]

const withdraw: Event = (second, chance) => [
  {
    second,
    wallet: 'Spot',
    operation: 'Withdraw',
    coin: chance.pick(PAID_COINS),
    units: -amount(chance, 300_000, 2),
    remark: 'Withdraw fee is included',
  },
]

const walletTransfer: Event = (second, chance) => {
  const coin = chance.pick(PAID_COINS)
  const units = amount(chance, 400_000, 2)
  const toSpot = chance.below(2) === 0
  const leg = (wallet: 'Spot' | 'Funding', at: number): LedgerRow => ({
    second: at,
    wallet,
    operation: 'Transfer Between Spot and Funding',
    coin,
    units: (wallet === 'Spot') === toSpot ? units : -units,
    remark: '',
  })
  return [
    leg(toSpot ? 'Funding' : 'Spot', second),
    leg(toSpot ? 'Spot' : 'Funding', second + chance.below(2)),
  ]
}

/** Rows equal in every cell, inside one second. */
const burst: Event = (second, chance) => {
  const row: LedgerRow = {
    second,
    wallet: 'Funding',
    operation: 'Merchant Acquiring',
    coin: 'USDT',
    units: chance.pick([100_000_000n, 499_000_000n, 50n, 990_000_000n]),
    remark: 'Binance Pay',
  }
  return Array<LedgerRow>(2 + chance.below(27)).fill(row)
}

const trade: Event = (second, chance) => {
  const row = (operation: string, coin: string, units: bigint): LedgerRow => ({
    second,
    wallet: 'Spot',
    operation,
    coin,
    units,
    remark: '',
  })
  const coin = chance.pick(['BTC', 'BNB', '1INCH'])
  const legs = [
    row('Transaction Buy', coin, amount(chance, 9_000_000, 6)),
    row('Transaction Spend', 'USDT', -amount(chance, 90_000_000, 5)),
    row('Transaction Fee', 'BNB', -amount(chance, 150, 8)),
  ]
  chance.shuffle(legs)
  return legs
}

const interest: Event = (second, chance) => [
  {
    second,
    wallet: 'Spot',
    operation: 'Simple Earn Flexible Interest',
    coin: chance.pick(SMALL_COINS),
    units: BigInt(1 + chance.below(chance.pick([9, 99, 5000]))),
    remark: '',
  },
]

const peerToPeer: Event = (second, chance) => [
  {
    second,
    wallet: 'Funding',
    operation: 'P2P Trading',
    coin: 'USDT',
    units: amount(chance, 90_000, 1),
    remark: `P2P - ${1 + chance.below(9)}${chance.text(19, DIGITS)}`,
  },
]

const oddity: Event = (second, chance) => [
  {
    second,
    wallet: chance.pick(WALLETS),
    operation: chance.below(3) === 0 ? chance.pick(ODD_OPERATIONS) : 'Crypto Box',
    coin: chance.pick(SMALL_COINS),
    units: chance.below(2) === 0 ? amount(chance, 9000, 4) : -amount(chance, 9000, 4),
    remark: chance.pick(ODD_REMARKS),
  },
]

/** Each event as often as it stands here. */
const EVENTS: readonly Event[] = [
  ...Array<Event>(24).fill(acquiring),
  ...Array<Event>(6).fill(interest),
  ...Array<Event>(5).fill(trade),
  ...Array<Event>(4).fill(refund),
  ...[walletTransfer, walletTransfer, splitPayment, splitPayment, peerToPeer, peerToPeer, oddity, oddity],
  ...[deposit, withdraw, burst],
]

/** The rows of a next event, at most `room` of them: what does not fit becomes a plain payment. */
export function nextEvent(second: number, room: number, chance: Chance): LedgerRow[] {
  const rows = chance.pick(EVENTS)(second, chance)
  return rows.length <= room ? rows : acquiring(second, chance)
}
