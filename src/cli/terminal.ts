/** What a command writes: data on stdout, talk on stderr, and a progress line only where a person watches. */

import { writeJson } from '../domain/json.ts'
import { bytesText, countText } from '../domain/quantity-text.ts'
import type { Clock } from '../host.ts'

/** What is done so far, for a progress line. */
export interface Progress {
  readonly stage: string
  readonly bytes: number
  /** The whole, where it is known. */
  readonly totalBytes?: number
  readonly rows?: number
}

export interface Terminal {
  /**
   * The command's result: one JSON object with `--json`, else the lines of `text`. On a terminal `paint`
   * may add colour to a line; what it means must be readable without.
   */
  result(
    command: string,
    data: Readonly<Record<string, unknown>>,
    text: readonly string[],
    paint?: (line: string) => string,
  ): void
  /** A line for a person, on stderr; not with `--quiet`. */
  say(line: string): void
  /** Redraws the progress line. */
  progress(progress: Progress): void
  /** Ends the progress line. */
  endProgress(): void
}

export interface TerminalOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly clock: Clock
}

/** The version of the shape of `--json`; fields are only ever added to it. */
const JSON_VERSION = 1

export function createTerminal({ json, quiet, stdout, stderr, clock }: TerminalOptions): Terminal {
  let drawn = false
  let begun: { stage: string; atMs: number } | undefined
  let drawnAtMs = 0
  function endProgress(): void {
    if (drawn) stderr.write('\r\x1b[2K')
    drawn = false
  }
  return {
    result(command, data, text, paint = line => line) {
      endProgress()
      const painted = stdout.isTTY === true ? paint : (line: string) => line
      if (json) stdout.write(`${writeJson({ version: JSON_VERSION, command, ...data })}\n`)
      else for (const line of text) stdout.write(`${painted(plain(line))}\n`)
    },
    say(line) {
      endProgress()
      if (!quiet) stderr.write(`${plain(line)}\n`)
    },
    progress(progress) {
      if (quiet || stderr.isTTY !== true) return
      const nowMs = clock.now().getTime()
      if (begun?.stage !== progress.stage) begun = { stage: progress.stage, atMs: nowMs }
      else if (nowMs - drawnAtMs < REDRAW_MS) return
      drawnAtMs = nowMs
      stderr.write(`\r\x1b[2K${progressText(progress, (nowMs - begun.atMs) / 1000)}`)
      drawn = true
    },
    endProgress,
  }
}

/** Names from files and providers must not steer the terminal. */
function plain(line: string): string {
  return line.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '\ufffd')
}

/** Often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MS = 100
const BAR_WIDTH = 24

/** `parse    [######------------------] 25 %  92.0 MB  1,250,000 rows  1,020,000 rows/s  4 s left` */
export function progressText({ stage, bytes, totalBytes, rows }: Progress, seconds: number): string {
  const parts: string[] = [stage.padEnd(7)]
  if (totalBytes !== undefined && totalBytes > 0) {
    const share = Math.min(1, bytes / totalBytes)
    const full = Math.round(share * BAR_WIDTH)
    parts.push(`[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${Math.floor(share * 100)} %`)
  }
  parts.push(bytesText(bytes))
  if (rows !== undefined) parts.push(`${countText(rows)} rows`)
  // A rate is told once it means something.
  if (seconds < 1) return parts.join('  ')
  if (rows !== undefined) parts.push(`${countText(Math.round(rows / seconds))} rows/s`)
  else parts.push(`${bytesText(Math.round(bytes / seconds))}/s`)
  if (totalBytes !== undefined && bytes > 0 && bytes < totalBytes) {
    parts.push(`${durationText((seconds * (totalBytes - bytes)) / bytes)} left`)
  }
  return parts.join('  ')
}

/** `8 s`, `3 min 20 s` */
export function durationText(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds))
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** Lines of aligned columns under a header; columns named in `right` are aligned right. */
export function tableText(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): string[] {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        right.includes(header[column] ?? '')
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(header), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)]
}
