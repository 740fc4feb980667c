/** Answers that may be a moment old. */
import type { Clock } from '../host.ts'

export interface Fresh<T> {
  (): Promise<T>
  /** Makes the next call look again. */
  forget(): void
}

/** Remembers what `load` answered for `ms` milliseconds; callers that come together share one load. */
export function fresh<T>(clock: Pick<Clock, 'now'>, ms: number, load: () => Promise<T>): Fresh<T> {
  let loading: Promise<T> | undefined
  let loadedMs = Number.NEGATIVE_INFINITY
  const answer = () => {
    // A clock that is set back must not make an answer stay for longer.
    const nowMs = clock.now().getTime()
    if (loading === undefined || Math.abs(nowMs - loadedMs) > ms) {
      loadedMs = nowMs
      loading = load()
      loading.catch(() => {
        loadedMs = Number.NEGATIVE_INFINITY
      })
    }
    return loading
  }
  return Object.assign(answer, {
    forget() {
      loadedMs = Number.NEGATIVE_INFINITY
    },
  })
}
