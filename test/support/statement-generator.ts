/** Statements of any size from a seed: the shapes, names and repetitions of real ones, and no real row. */

export interface MadeRow {
  readonly second: number
  readonly wallet: string
  readonly operation: string
  readonly coin: string
  /** Scaled by 10^8, as the provider's own numbers are. */
  readonly units: bigint
  readonly remark: string
}

export type MadeLayout = 'A' | 'B-quoted' | 'B-bare' | 'C'

const OPERATIONS = ['Merchant Acquiring', 'Transfer', 'Send', 'Crypto Box', 'Binance Convert', 'Withdraw']
const COINS = ['USDT', 'BTC', 'BNB', '1INCH', '1000SATS', 'LDBNB', 'EUR']
const WALLETS = ['Spot', 'Funding']

/** A small generator of chance (mulberry32), so that a seed means the same everywhere. */
export function chanceFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** `count` rows from `firstSecond` on, spread over `seconds`, a tenth of them copies of the row before. */
export function* madeRows(
  count: number,
  seed: number,
  firstSecond: number,
  seconds: number,
): Generator<MadeRow> {
  const chance = chanceFrom(seed)
  let previous: MadeRow | undefined
  for (let index = 0; index < count; index++) {
    if (previous !== undefined && chance(10) === 0) {
      yield previous
      continue
    }
    const second = firstSecond + Math.floor((index * seconds) / count)
    previous = madeRow(second, index, chance)
    yield previous
  }
}

function madeRow(second: number, index: number, chance: (below: number) => number): MadeRow {
  const operation = OPERATIONS[chance(OPERATIONS.length)]!
  // A fifth of the values is so small that it is written with an exponent.
  const size = chance(5) === 0 ? chance(100) : chance(2_000_000_000)
  const sign = chance(3) === 0 ? -1 : 1
  return {
    second,
    wallet: WALLETS[chance(2)]!,
    operation,
    coin: COINS[chance(COINS.length)]!,
    units: BigInt(sign * size) * (chance(50) === 0 ? 1_000_003n : 1n),
    remark: operation === 'Transfer' ? `Binance Pay - P_${index.toString(36).padStart(16, '0')}` : '',
  }
}

const HEADERS: Record<MadeLayout, string> = {
  A: 'UTC_Time,Account,Operation,Coin,Change,Remark',
  'B-quoted': '"User_ID","UTC_Time","Account","Operation","Coin","Change","Remark"',
  'B-bare': 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark',
  C: 'User ID,Time,Account,Operation,Coin,Change,Remark',
}

export interface RenderOptions {
  readonly userId?: string
  readonly zoneMinutes?: number
  readonly eol?: string
  /** Whether the last line has its line end. */
  readonly finalEol?: boolean
  readonly bom?: boolean
}

/** The text of a statement, in pieces of some thousand rows. */
export function* renderPieces(
  rows: Iterable<MadeRow>,
  layout: MadeLayout,
  options: RenderOptions = {},
): Generator<string> {
  const { eol = '\n', finalEol = true, bom = false } = options
  let piece = (bom ? '\ufeff' : '') + HEADERS[layout]
  let count = 0
  for (const row of rows) {
    piece += eol + renderRow(row, layout, options)
    count += 1
    if (count % 5000 !== 0) continue
    yield piece
    piece = ''
  }
  yield finalEol ? piece + eol : piece
}

export function renderStatement(
  rows: Iterable<MadeRow>,
  layout: MadeLayout,
  options?: RenderOptions,
): string {
  return [...renderPieces(rows, layout, options)].join('')
}

function renderRow(row: MadeRow, layout: MadeLayout, options: RenderOptions): string {
  const { userId = '35460001', zoneMinutes = 0 } = options
  const { wallet, operation, coin, remark } = row
  if (layout === 'C') {
    const time = timeText(row.second + zoneMinutes * 60).slice(2)
    return [userId, time, wallet, operation, coin, trimmedDecimal(row.units), remark].map(bare).join(',')
  }
  const cells = [timeText(row.second), wallet, operation, coin, javaDecimal(row.units)]
  if (layout === 'A') return `${cells.map(bare).join(',')},${quote(remark)}`
  return [userId, ...cells, remark].map(layout === 'B-quoted' ? quote : bare).join(',')
}

const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`
const bare = (cell: string) => (/[",\r\n]/.test(cell) ? quote(cell) : cell)

function timeText(second: number): string {
  return new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ')
}

/** Java's `BigDecimal` of scale 8 as text, which is what layouts A and B hold. */
export function javaDecimal(units: bigint): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString()
  if (digits.length < 3) {
    const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits[1]}`
    return `${sign}${mantissa}E-${9 - digits.length}`
  }
  const padded = digits.padStart(9, '0')
  return `${sign}${padded.slice(0, -8)}.${padded.slice(-8)}`
}

/** The shortest plain decimal, which is what layout C holds. */
export function trimmedDecimal(units: bigint): string {
  const sign = units < 0n ? '-' : ''
  const padded = (units < 0n ? -units : units).toString().padStart(9, '0')
  return `${sign}${padded.slice(0, -8)}.${padded.slice(-8)}`.replace(/\.?0+$/, '')
}
