/**
 * The one table of column names. A row of activity needs five meanings; the two others are welcome.
 * Names match whatever their case, accents' encoding, underscores and spacing.
 */

export const MEANINGS = ['userId', 'time', 'wallet', 'operation', 'asset', 'amount', 'remark'] as const

export type Meaning = (typeof MEANINGS)[number]

/** Without one of these a file is no statement. */
export const REQUIRED: readonly Meaning[] = ['time', 'wallet', 'operation', 'asset', 'amount']

/** English in three layouts, then Spanish, French, Portuguese and Russian. */
const NAMES: Readonly<Record<Meaning, readonly string[]>> = {
  userId: ['User_ID', 'ID de usuario', 'Identifiant utilisateur', 'ID do Usuário', 'ID пользователя'],
  time: ['UTC_Time', 'Time', 'Date', 'Tiempo', 'Durée', 'Tempo', 'Время'],
  wallet: ['Account', 'Wallet', 'Cuenta', 'Compte', 'Conta', 'Аккаунт'],
  operation: ['Operation', 'Operación', 'Opération', 'Operação', 'Операция'],
  asset: ['Coin', 'Asset', 'Moneda', 'Jeton', 'Moeda', 'Коин'],
  amount: ['Change', 'Cambio', 'Alterar', 'Изменить'],
  remark: ['Remark', 'Observación', 'Remarque', 'Observação', 'Примечание'],
}

/** Names a user adds to the table, by meaning. */
export type AddedColumns = Readonly<{ [M in Meaning]?: readonly string[] | undefined }>

/** The meaning of each name, folded. */
export type ColumnNames = ReadonlyMap<string, Meaning>

/** The table with names added to it; an added name means what the user says, whatever it meant before. */
export function columnNames(added: AddedColumns = {}): ColumnNames {
  const entries = [NAMES, added].flatMap(table =>
    MEANINGS.flatMap(meaning => (table[meaning] ?? []).map(name => [foldName(name), meaning] as const)),
  )
  return new Map(entries)
}

export const KNOWN_NAMES: ColumnNames = columnNames()

/** A zone that a header tells itself: `Date(UTC)`, `Time(UTC+8)`. */
const ZONE_SUFFIX = /^(.*?)\s*\((UTC[^)]*)\)$/i

/** What a header cell means, and the zone it tells, if any. */
export function meaningOf(
  cell: string,
  names: ColumnNames = KNOWN_NAMES,
): { meaning: Meaning | undefined; zone: string | undefined } {
  const suffix = ZONE_SUFFIX.exec(cell.trim())
  const meaning = names.get(foldName(suffix?.[1] ?? cell))
  if (meaning !== 'time') return { meaning: suffix === null ? meaning : undefined, zone: undefined }
  return { meaning, zone: suffix?.[2] ?? (foldName(cell) === 'utc time' ? 'UTC' : undefined) }
}

export function foldName(name: string): string {
  return name
    .normalize('NFC')
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, ' ')
}

/** Exports of other kinds, by columns that only they have; refused by name. */
const OTHER_PRODUCTS: ReadonlyArray<{ product: string; columns: readonly string[] }> = [
  { product: 'a Binance.US transaction history', columns: ['category', 'operation', 'order id'] },
  { product: 'a Binance futures transaction history', columns: ['type', 'amount', 'asset', 'symbol'] },
  { product: 'a Binance spot trade history', columns: ['price', 'fee', 'side'] },
  { product: 'a Binance spot trade history', columns: ['price', 'fee', 'market'] },
  { product: 'a Binance deposit or withdrawal history', columns: ['txid', 'address'] },
]

/** The other export that a header belongs to. */
export function otherProductOf(header: readonly string[]): string | undefined {
  const folded = new Set(header.map(foldName))
  return OTHER_PRODUCTS.find(({ columns }) => columns.every(column => folded.has(column)))?.product
}
