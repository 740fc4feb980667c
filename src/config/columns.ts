/** Column names that a user adds to the table, from a JSON file of meaning to names. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type AddedColumns, foldName, MEANINGS, nameConflicts } from '../domain/column-names.ts'
import { parseCounts } from '../domain/json.ts'
import type { Env } from './env.ts'
import { collectFaults, type Faults } from './faults.ts'

const VARIABLE = 'DAYBOOK_COLUMNS_FILE'
const EXPECTED_MEANING = `expected one of the meanings ${MEANINGS.join(', ')}`

/** A zone behind a name is read off each header and is no part of the name. */
const columnName = z
  .string('expected the name of a column')
  .max(200, 'expected at most 200 characters')
  .refine(name => foldName(name).trim() !== '', 'expected the name of a column, not an empty text')
  .refine(name => !/\(UTC[^)]*\)\s*$/i.test(name), 'expected the name without the zone behind it')

const columnsFile = z.partialRecord(
  z.enum(MEANINGS),
  z.array(columnName, 'expected a list of column names').min(1, 'expected at least one column name'),
)

/** The names of the file that the variable names; none when it is not set. */
export function readColumns(env: Env, faults: Faults): AddedColumns {
  const path = env[VARIABLE]
  if (path === undefined) return {}
  let content: unknown
  try {
    content = parseCounts(readFileSync(path, 'utf8'))
  } catch {
    faults.add(VARIABLE, 'expected a JSON file that can be read')
    return {}
  }
  const parsed = columnsFile.safeParse(content)
  if (!parsed.success) {
    for (const [field, expected] of parsed.error.issues.flatMap(faultsOf)) {
      faults.add(`${VARIABLE}, ${field}`, expected)
    }
    return {}
  }
  for (const { meaning, index, known } of nameConflicts(parsed.data)) {
    faults.add(
      `${VARIABLE}, ${meaning}.${index}`,
      `expected a name that means nothing else; this one means ${known} already`,
    )
  }
  return parsed.data
}

/** The added names alone, for a command that needs no other setting. Throws `config-invalid`. */
export function loadColumns(env: Env): AddedColumns {
  const faults = collectFaults()
  const columns = readColumns(env, faults)
  faults.throwIfAny()
  return columns
}

function faultsOf(issue: z.core.$ZodIssue): Array<[field: string, expected: string]> {
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => [key, EXPECTED_MEANING])
  if (issue.path.length === 0)
    return [['file', `expected an object of lists of names by meaning: ${MEANINGS.join(', ')}`]]
  const isMeaning = MEANINGS.some(meaning => meaning === issue.path[0])
  return [[issue.path.join('.'), isMeaning ? issue.message : EXPECTED_MEANING]]
}
