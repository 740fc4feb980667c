/** Which entries of an archive are the parts of a report, and in which order. */
import { damaged, unreadable } from './file-fault.ts'
import { compareNames, missingParts } from './part-names.ts'

/** The parts among the files of an archive, in the order of their names, and how many were passed over. */
export function chooseParts<T extends { readonly name: string }>(
  entries: readonly T[],
): { parts: T[]; ignored: number } {
  const files = entries.filter(({ name }) => !isClutter(name))
  const parts = csvFiles(files)
  checkNames(parts.map(({ name }) => name))
  return {
    parts: parts.sort((a, b) => compareNames(a.name, b.name)),
    ignored: files.length - parts.length,
  }
}

/** Directories, and what macOS adds on its own. */
export function isClutter(name: string): boolean {
  return name.endsWith('/') || /(^|\/)(__MACOSX\/|\.DS_Store$|\._)/.test(name)
}

/** The `.csv` entries; a single entry of any other name is tried, too. */
function csvFiles<T extends { readonly name: string }>(files: readonly T[]): T[] {
  const named = files.filter(({ name }) => /\.csv$/i.test(name))
  if (named.length > 0) return named
  if (files.length === 1) return [...files]
  throw unreadable('no-csv', 'The archive holds no CSV file.', { entries: files.length })
}

function checkNames(names: readonly string[]): void {
  if (new Set(names).size < names.length) {
    throw unreadable(
      'duplicate-entry',
      'The archive holds two files of the same name: which one counts is unclear.',
    )
  }
  const missing = missingParts(names)
  if (missing.length === 0) return
  const list = missing.slice(0, 5).join(', ')
  throw damaged('part-missing', `The archive is incomplete: part ${list} is missing.`, { missing: list })
}
