/** The names of a report's parts: their order, and whether one is missing. */

const PART_OF = /part[-_ ]?(\d+)[-_ ]?of[-_ ]?(\d+)/i

/** The number of a part and how many there are, from a name such as `x-part2-of3.csv`. */
export function partOf(name: string): { number: number; total: number } | undefined {
  const match = PART_OF.exec(name)
  if (match === null) return undefined
  return { number: Number.parseInt(match[1]!, 10), total: Number.parseInt(match[2]!, 10) }
}

/** Orders names with their numbers as numbers, so that part 10 follows part 9. */
export function compareNames(a: string, b: string): number {
  const [left, right] = [widened(a), widened(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function widened(name: string): string {
  return name.replace(/\d+/g, digits => digits.padStart(24, '0'))
}

/** More missing parts than these are not listed: a name can promise any number. */
const MOST_LISTED = 5

/** The parts that names like `part1-of3` promise and no name delivers: `2 of 3`, …; the first few of each. */
export function missingParts(names: readonly string[]): string[] {
  const groups = Map.groupBy(names.filter(partOf), name => {
    return `${name.slice(0, PART_OF.exec(name)!.index)}\n${partOf(name)!.total}`
  })
  return [...groups.values()].flatMap(missingOfGroup)
}

function missingOfGroup(group: readonly string[]): string[] {
  const present = new Set(group.map(name => partOf(name)!.number))
  const { total } = partOf(group[0]!)!
  const missing: string[] = []
  for (let number = 1; number <= total && missing.length < MOST_LISTED; number++) {
    if (!present.has(number)) missing.push(`${number} of ${total}`)
  }
  return missing
}
