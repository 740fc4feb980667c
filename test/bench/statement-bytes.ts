/**
 * A layout-B statement as bytes, fast: millions of rows from a seed, with the shapes of real ones.
 * The sums it must have are counted beside it, so that the truth comes from no engine.
 */
import { chanceFrom } from '../support/statement-generator.ts'

/** The days over which the rows are spread, in order of time. */
export const RANGE = { start: '2026-07-01', end: '2026-09-29' }
const FIRST_SECOND = Date.parse(RANGE.start) / 1000
const SECONDS = Date.parse(RANGE.end) / 1000 - FIRST_SECOND

const USER_ID = '35460001'
const WALLETS = ['Spot', 'Funding']
const OPERATIONS = [
  'Transaction Buy',
  'Transaction Spend',
  'Transaction Fee',
  'Transaction Sold',
  'Transaction Revenue',
  'Merchant Acquiring',
  'Binance Convert',
  'Transfer',
  'Transfer',
  'Deposit',
  'Withdraw',
  'Send',
  'Crypto Box',
  'P2P Trading',
  'Small Assets Exchange BNB',
  'Distribution',
]
const COINS = [
  ...['USDT', 'USDC', 'BTC', 'BNB', 'ETH', 'EUR', 'FDUSD', 'SOL', 'XRP', 'DOGE', 'ADA', 'TRX'],
  ...['TON', 'LTC', '1INCH', '1000SATS', 'LDBNB', 'SHIB', 'AVAX', 'LINK'],
]
const PAY_REMARK = 'Binance Pay - P_'
const FEE_REMARK = 'Withdraw fee is included'

/** One row is at most this long, with room to spare. */
const ROW_BYTES = 192
const BLOCK_BYTES = 1 << 20
const UNITS = 100_000_000

/** Sum of each wallet and asset, scaled by 10^8, which is the provider's own scale. */
export type UnitSums = Map<string, bigint>

/** Blocks of the file in order; `sums` is complete after the last. Each block is a new buffer. */
export function* statementBlocks(rows: number, seed: number, sums: UnitSums): Generator<Buffer> {
  yield Buffer.from('User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n')
  const writer = rowWriter(rows, seed, sums)
  for (let row = 0; row < rows; ) {
    const block = Buffer.allocUnsafe(BLOCK_BYTES)
    let at = 0
    for (; row < rows && at < BLOCK_BYTES - ROW_BYTES; row++) at = writer.write(block, at, row)
    yield block.subarray(0, at)
  }
  writer.finish()
}

function rowWriter(rows: number, seed: number, sums: UnitSums) {
  const chance = chanceFrom(seed)
  const heads = WALLETS.flatMap(wallet =>
    OPERATIONS.map(operation => Buffer.from(`,${wallet},${operation},`)),
  )
  const tails = COINS.map(coin => Buffer.from(`${coin},`))
  const totals = new BigInt64Array(WALLETS.length * COINS.length)
  const previous = Buffer.alloc(ROW_BYTES)
  const clock = clockText()
  let previousBytes = 0
  let previousTotal = 0
  let previousUnits = 0n

  /** A tenth of the rows are copies of the row before: identical rows are real. */
  function write(block: Buffer, at: number, row: number): number {
    if (previousBytes > 0 && chance(10) === 0) {
      previous.copy(block, at, 0, previousBytes)
      totals[previousTotal]! += previousUnits
      return at + previousBytes
    }
    const end = writeNew(block, at, row)
    block.copy(previous, 0, at, end)
    previousBytes = end - at
    return end
  }

  function writeNew(block: Buffer, start: number, row: number): number {
    // One row in a thousand stands a second early, as in real files.
    const late = chance(1000) === 0 ? 1 : 0
    const second = Math.max(0, Math.floor((row * SECONDS) / rows) - late)
    const wallet = chance(WALLETS.length)
    const operation = chance(OPERATIONS.length)
    const coin = chance(COINS.length)
    let at = start + block.write(USER_ID, start, 'latin1')
    block[at++] = 0x2c
    at += clock(second).copy(block, at)
    at += heads[wallet * OPERATIONS.length + operation]!.copy(block, at)
    at += tails[coin]!.copy(block, at)
    at = writeChange(block, at, wallet * COINS.length + coin)
    block[at++] = 0x2c
    at = writeRemark(block, at, OPERATIONS[operation]!)
    block[at++] = 0x0a
    return at
  }

  /** Whole and fraction are drawn apart, so that every number here is a small integer. */
  function writeChange(block: Buffer, start: number, total: number): number {
    const tiny = chance(10) === 0
    const whole = tiny ? 0 : chance(chance(4) === 0 ? 1_000_000 : 100)
    const fraction = tiny ? chance(100) : chance(UNITS)
    const negative = chance(3) === 0 && (whole > 0 || fraction > 0)
    const units = BigInt(whole) * 100_000_000n + BigInt(fraction)
    previousTotal = total
    previousUnits = negative ? -units : units
    totals[total]! += previousUnits
    let at = start
    if (negative) block[at++] = 0x2d
    return whole === 0 && fraction < 100
      ? writeScientific(block, at, fraction)
      : writePlain(block, at, whole, fraction)
  }

  function writeRemark(block: Buffer, start: number, operation: string): number {
    if (operation === 'Withdraw') return start + block.write(FEE_REMARK, start, 'latin1')
    if (operation !== 'Transfer' || chance(5) === 0) return start
    let at = start + block.write(PAY_REMARK, start, 'latin1')
    for (let index = 0; index < 16; index++) {
      const code = chance(36)
      block[at++] = code < 10 ? 0x30 + code : 0x41 + code - 10
    }
    return at
  }

  function finish(): void {
    totals.forEach((units, index) => {
      const wallet = WALLETS[Math.floor(index / COINS.length)]!
      sums.set(`${wallet} ${COINS[index % COINS.length]!}`, units)
    })
  }

  return { write, finish }
}

/** Java's `BigDecimal` of scale 8 below 100 units: `0E-8`, `1E-8`, `9.9E-7`. */
function writeScientific(block: Buffer, start: number, units: number): number {
  if (units < 10) return start + block.write(`${units}E-8`, start, 'latin1')
  return start + block.write(`${Math.floor(units / 10)}.${units % 10}E-7`, start, 'latin1')
}

function writePlain(block: Buffer, start: number, whole: number, fraction: number): number {
  let at = start + digitsOf(whole)
  for (let rest = whole, place = at - 1; place >= start; place--, rest = Math.floor(rest / 10)) {
    block[place] = 0x30 + (rest % 10)
  }
  block[at++] = 0x2e
  for (let rest = fraction, place = at + 7; place >= at; place--, rest = Math.floor(rest / 10)) {
    block[place] = 0x30 + (rest % 10)
  }
  return at + 8
}

function digitsOf(whole: number): number {
  let digits = 1
  for (let limit = 10; whole >= limit; limit *= 10) digits += 1
  return digits
}

/** The text of a second, made anew only when the second changes. */
function clockText(): (second: number) => Buffer {
  let known = -1
  let text = Buffer.alloc(0)
  return second => {
    if (second !== known) {
      known = second
      text = Buffer.from(
        new Date((FIRST_SECOND + second) * 1000).toISOString().slice(0, 19).replace('T', ' '),
      )
    }
    return text
  }
}
