/** Which calls of something go wrong, and how: counted, so that a test can have each of them fail in turn. */
export interface FaultPlan<T> {
  /** Counts anew: call number `first`, from 1, and those up to `last` meet the trouble. */
  arm(trouble: T, first: number, last: number): void
  /** From now on everything goes well. */
  lift(): void
  /** What the next call meets. Calls that `befalls` says no to are not counted. */
  next(befalls?: (trouble: T) => boolean): T | undefined
  /** How many calls have met the trouble since it was armed. */
  met(): number
  /** How many calls there were since it was armed, up to its lifting. */
  calls(): number
}

export function faultPlan<T>(): FaultPlan<T> {
  let armed: { trouble: T; first: number; last: number } | undefined
  let calls = 0
  let met = 0
  return {
    arm(trouble, first, last) {
      armed = { trouble, first, last }
      calls = 0
      met = 0
    },
    lift() {
      armed = undefined
    },
    next(befalls = () => true) {
      if (armed === undefined || !befalls(armed.trouble)) return undefined
      calls++
      if (calls < armed.first || calls > armed.last) return undefined
      met++
      return armed.trouble
    },
    met: () => met,
    calls: () => calls,
  }
}
