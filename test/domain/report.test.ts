import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  endedPart,
  isFinished,
  REPORT_PARTS,
  type ReportPart,
  reportState,
  standingEnd,
} from '../../src/domain/report.ts'

const state = (...parts: ReportPart[]) => reportState(new Set(parts))

type Event = 'accepted' | 'callback' | 'archive' | 'manifest' | 'end'

/** What a person would say, told only the order of events. */
function told(events: readonly Event[]): string {
  if (events.includes('manifest')) return 'parsed'
  if (events.includes('archive')) return 'archived'
  const end = events.lastIndexOf('end')
  if (end >= 0 && end > events.indexOf('callback')) return 'ended'
  if (!events.includes('accepted')) return 'unsolicited'
  return events.includes('callback') ? 'ready' : 'accepted'
}

/** The records that exist after these events, written as the stages write them. */
function recordsAfter(events: readonly Event[]): Set<ReportPart> {
  const parts = new Set<ReportPart>()
  for (const event of events) parts.add(event === 'end' ? endedPart(parts) : event)
  return parts
}

describe('the state of a report', () => {
  it('goes from accepted to parsed', () => {
    expect(state('accepted')).toBe('accepted')
    expect(state('accepted', 'callback')).toBe('ready')
    expect(state('callback')).toBe('unsolicited')
    expect(state('accepted', 'callback', 'archive')).toBe('archived')
    expect(state('accepted', 'archive', 'manifest')).toBe('parsed')
  })

  it('is an end until something comes that the end did not know of', () => {
    expect(state('accepted', 'ended')).toBe('ended')
    expect(state('accepted', 'ended', 'callback')).toBe('ready')
    expect(state('accepted', 'callback', 'ended-called')).toBe('ended')
    expect(state('accepted', 'ended', 'callback', 'ended-called')).toBe('ended')
  })

  it('is that of the file, however the report ended before', () => {
    expect(state('accepted', 'ended', 'archive')).toBe('archived')
    expect(state('accepted', 'callback', 'ended-called', 'archive', 'manifest')).toBe('parsed')
    expect(standingEnd(new Set(['accepted', 'ended', 'archive']))).toBeUndefined()
  })

  it('follows from any order of arrival as a person would tell it', () => {
    const events = fc.shuffledSubarray<Event>(['accepted', 'callback', 'archive', 'manifest', 'end', 'end'])
    fc.assert(
      fc.property(events, order => {
        expect(reportState(recordsAfter(order))).toBe(told(order))
      }),
      { numRuns: 3000 },
    )
  })

  it('needs the records alone: the order in which they are listed says nothing', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...REPORT_PARTS]), parts => {
        const sorted = REPORT_PARTS.filter(part => parts.includes(part))
        expect(state(...parts)).toBe(state(...sorted))
        expect(isFinished(new Set(parts))).toBe(['parsed', 'ended'].includes(state(...parts)))
      }),
    )
  })
})
