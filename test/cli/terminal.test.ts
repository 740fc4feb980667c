import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createTerminal, durationText, progressText, tableText } from '../../src/cli/terminal.ts'
import { bytesText, countOf } from '../../src/domain/quantity-text.ts'
import { fixedClock } from '../support/fixed-clock.ts'

function terminal(options: { json?: boolean; quiet?: boolean; tty?: boolean } = {}) {
  const stdout = new PassThrough()
  const stderr = Object.assign(new PassThrough(), { isTTY: options.tty ?? false })
  const clock = fixedClock()
  const made = createTerminal({
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    stdout,
    stderr,
    clock,
  })
  const read = (stream: PassThrough) => stream.read()?.toString() ?? ''
  return { ...made, clock, out: () => read(stdout), talk: () => read(stderr) }
}

const progress = { stage: 'parse', bytes: 25, totalBytes: 100, rows: 10 } as const

describe('the terminal', () => {
  it('prints data on stdout and talk on stderr', () => {
    const { result, say, out, talk } = terminal()
    say('talk')
    result('test', { a: 1n }, ['data'])
    expect([out(), talk()]).toEqual(['data\n', 'talk\n'])
  })

  it('prints one JSON object with a version, and says nothing when quiet', () => {
    const { result, say, out, talk } = terminal({ json: true, quiet: true })
    say('talk')
    result('test', { id: 29383937493038367292n }, ['data'])
    expect([out(), talk()]).toEqual(['{"version":1,"command":"test","id":29383937493038367292}\n', ''])
  })

  it('draws progress on a terminal only, and clears it before anything else is said', async () => {
    const plain = terminal()
    plain.progress(progress)
    expect(plain.talk()).toBe('')

    const tty = terminal({ tty: true })
    tty.progress(progress)
    expect(tty.talk()).toBe('\r\x1b[2Kparse    [######------------------] 25 %  25 B  10 rows')
    tty.progress(progress)
    expect(tty.talk()).toBe('')
    await tty.clock.advance(5000)
    tty.progress({ ...progress, bytes: 50, rows: 20 })
    expect(tty.talk()).toContain('50 %  50 B  20 rows  4 rows/s  5 s left')
    tty.say('done')
    expect(tty.talk()).toBe('\r\x1b[2Kdone\n')
  })

  it('tells no estimate where the whole is not known', () => {
    expect(progressText({ stage: 'archive', bytes: 3_000_000 }, 2)).toBe('archive  3.0 MB  1.5 MB/s')
  })

  it('writes sizes, counts and durations for people', () => {
    expect([0, 999, 1000, 14_200_000, 3e13].map(bytesText)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '14.2 MB',
      '30.0 TB',
    ])
    expect([countOf(1, 'row'), countOf(0, 'row'), countOf(1234567, 'row')]).toEqual([
      '1 row',
      '0 rows',
      '1,234,567 rows',
    ])
    expect([0, 59.4, 61, 3600].map(durationText)).toEqual(['1 s', '59 s', '1 min 1 s', '60 min 0 s'])
  })

  it('aligns tables', () => {
    expect(
      tableText(
        ['name', 'rows'],
        [
          ['a', '1'],
          ['long name', '1,000'],
        ],
        ['rows'],
      ),
    ).toEqual(['name        rows', '---------  -----', 'a              1', 'long name  1,000'])
  })
})
