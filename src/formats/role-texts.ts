/** The tables in which a scanner of lines finds the texts of each role. */
import { walletOf } from '../domain/operations.ts'
import { WALLET } from './line-roles.ts'
import { type RowBatch, TEXT_COLUMNS } from './row-batch.ts'
import { type TextTable, textTable } from './text-table.ts'

export interface RoleTexts {
  /** By role. That of the wallet holds the names wallets go by in the file. */
  readonly tables: readonly TextTable[]
  /** The code of the batch's own table: wallets stand there under their newest name. */
  finalCode(role: number, code: number): number
  /** Whether the batch still has the tables these were made of, and the names of wallets have not piled up. */
  areGoodFor(batch: RowBatch): boolean
}

/** A wallet may be spelled in any number of ways that all mean the newest name, so the batch's own table stays small. */
const NAME_BYTES = 1024 ** 2

export function roleTexts({ tables }: RowBatch): RoleTexts {
  const names = textTable()
  const newest: number[] = []

  function newestOf(name: number): number {
    newest[name] ??= tables.wallet.codeOfText(walletOf(names.textOf(name)))
    return newest[name]
  }

  return {
    tables: TEXT_COLUMNS.map((column, role) => (role === WALLET ? names : tables[column])),
    finalCode: (role, code) => (role === WALLET ? newestOf(code) : code),
    areGoodFor: batch => batch.tables === tables && names.startOf(names.count()) <= NAME_BYTES,
  }
}
