/** Runs `daybook` in a process of its own, as a person would. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')

/** `env` is the whole environment, so that nothing of the machine's own leaks in. */
export function runDaybook(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<Ran> {
  return startDaybook(args, env, cwd).ended
}

export interface Running {
  readonly ended: Promise<Ran>
  /** Everything on both streams so far. */
  output(): string
  kill(signal: NodeJS.Signals): void
}

export function startDaybook(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Running {
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  return {
    ended: new Promise((done, failed) => {
      child.on('error', failed)
      child.on('close', code => done({ code, stdout, stderr }))
    }),
    output: () => stdout + stderr,
    kill: signal => child.kill(signal),
  }
}
