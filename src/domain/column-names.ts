/**
 * The one table of column names. A row of activity needs five meanings; the two others are welcome.
 * Names match whatever their case, accents' encoding, underscores and spacing.
 */
import { DaybookError } from './errors.ts'

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

/** An added name that means something else already, in the table or in what was added before it. */
export interface NameConflict {
  readonly meaning: Meaning
  /** Its place in the list of its meaning. */
  readonly index: number
  readonly name: string
  readonly known: Meaning
}

export function nameConflicts(added: AddedColumns): NameConflict[] {
  return mergedNames(added).conflicts
}

/**
 * The table with names added to it. Throws `config-invalid` for a name that means something else already:
 * which of the two columns is meant would be a guess.
 */
export function columnNames(added: AddedColumns = {}): ColumnNames {
  const { names, conflicts } = mergedNames(added)
  const [conflict] = conflicts
  if (conflict === undefined) return names
  const { name, meaning, known } = conflict
  const message = `The column name "${name}" cannot be added as ${meaning}: it means ${known} already.`
  throw new DaybookError('config-invalid', message)
}

function mergedNames(added: AddedColumns) {
  const names = new Map<string, Meaning>()
  const conflicts: NameConflict[] = []
  for (const table of [NAMES, added]) {
    for (const meaning of MEANINGS) {
      for (const [index, name] of (table[meaning] ?? []).entries()) {
        const known = names.get(foldName(name))
        if (known === undefined) names.set(foldName(name), meaning)
        else if (known !== meaning) conflicts.push({ meaning, index, name, known })
      }
    }
  }
  return { names, conflicts }
}

export const KNOWN_NAMES: ColumnNames = columnNames()

export function foldName(name: string): string {
  return name
    .normalize('NFC')
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, ' ')
}
