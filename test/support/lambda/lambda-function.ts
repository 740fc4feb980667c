/** Runs a bundled handler as AWS Lambda does: in processes of its own, over the runtime API, on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface FunctionOptions {
  readonly name: string
  /** The folder that would be deployed. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** The most environments at once: what AWS calls reserved concurrency. */
  readonly most: number
  /** Lines of both streams, as the log group would have them. */
  readonly onLine?: (line: string) => void
}

/** `died`: killed, or out of time; nobody knows how far it came. `failed`: the handler threw. */
export type Invoked =
  | { readonly outcome: 'answered'; readonly answer: unknown }
  | { readonly outcome: 'failed'; readonly type: string; readonly says: string }
  | { readonly outcome: 'died' }

export interface LambdaFunction {
  /** Runs one event in a free environment, or waits for one. */
  invoke(event: unknown): Promise<Invoked>
  /** Kills an environment that is at work; `false` when none is. */
  killOne(): boolean
  /** Time from the start of each environment's process until it asked for its first event. */
  readonly initMs: readonly number[]
  stop(): Promise<void>
}

interface Environment {
  run(event: unknown): Promise<Invoked>
  kill(): void
  readonly isBusy: () => boolean
}

export function lambdaFunction(options: FunctionOptions): LambdaFunction {
  const idle: Environment[] = []
  const all = new Set<Environment>()
  const waiting: Array<() => void> = []
  const initMs: number[] = []
  let stopped = false

  async function take(): Promise<Environment | undefined> {
    for (;;) {
      if (stopped) return undefined
      const free = idle.pop()
      if (free !== undefined) return free
      if (all.size < options.most) return open()
      await new Promise<void>(resolve => waiting.push(resolve))
    }
  }

  function open(): Environment {
    const environment = startEnvironment(options, {
      onInit: ms => initMs.push(ms),
      onEnd: () => {
        all.delete(environment)
        const at = idle.indexOf(environment)
        if (at >= 0) idle.splice(at, 1)
        waiting.shift()?.()
      },
    })
    all.add(environment)
    return environment
  }

  return {
    initMs,
    async invoke(event) {
      const environment = await take()
      if (environment === undefined) return { outcome: 'died' }
      const invoked = await environment.run(event)
      if (all.has(environment) && !stopped) idle.push(environment)
      waiting.shift()?.()
      return invoked
    },
    killOne() {
      const busy = [...all].find(environment => environment.isBusy())
      busy?.kill()
      return busy !== undefined
    },
    async stop() {
      stopped = true
      for (const environment of all) environment.kill()
      for (const wake of waiting.splice(0)) wake()
      while (all.size > 0) await new Promise(resolve => setTimeout(resolve, 5))
    },
  }
}

/** One process and the runtime API that it alone talks to. */
function startEnvironment(
  { name, folder, env, timeoutMs, onLine }: FunctionOptions,
  { onInit, onEnd }: { onInit: (ms: number) => void; onEnd: () => void },
): Environment {
  let asking: ServerResponse | undefined
  let work: { id: string; event: unknown; resolve: (invoked: Invoked) => void } | undefined
  let sent = false
  let child: ChildProcess | undefined
  let ended = false
  let timer: NodeJS.Timeout | undefined
  const startedAt = performance.now()

  function finish(invoked: Invoked): void {
    clearTimeout(timer)
    const done = work
    work = undefined
    sent = false
    done?.resolve(invoked)
  }

  /** Hands the event out once both are there: an event, and a process that asks for one. */
  function hand(): void {
    if (asking === undefined || work === undefined || sent) return
    sent = true
    timer = setTimeout(() => child?.kill('SIGKILL'), timeoutMs)
    const body = JSON.stringify(work.event)
    asking.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'lambda-runtime-aws-request-id': work.id,
      'lambda-runtime-deadline-ms': String(Date.now() + timeoutMs),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    })
    asking.end(body)
    asking = undefined
  }

  const server = createServer(async (request, response) => {
    const { url = '' } = request
    if (url.endsWith('/invocation/next')) {
      onInitOnce()
      asking = response
      hand()
      return
    }
    const text = await bodyOf(request)
    response.writeHead(202).end('{"status":"OK"}')
    const [, id, kind] = /\/invocation\/([^/]+)\/(response|error)$/.exec(url) ?? []
    if (id !== work?.id) return
    const content = JSON.parse(text)
    finish(
      kind === 'response'
        ? { outcome: 'answered', answer: content }
        : { outcome: 'failed', type: content.errorType, says: content.errorMessage },
    )
  })

  let isNew = true
  function onInitOnce(): void {
    if (isNew) onInit(performance.now() - startedAt)
    isNew = false
  }

  server.listen(0, '127.0.0.1', () => {
    if (ended) return
    const { port } = server.address() as AddressInfo
    child = spawn(process.execPath, [join(import.meta.dirname, 'bootstrap.ts')], {
      env: {
        ...env,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_LOG_STREAM_NAME: `2026/11/21/[$LATEST]${randomUUID().replaceAll('-', '')}`,
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        LAMBDA_TASK_ROOT: folder,
        _HANDLER: 'index.handler',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout!, child.stderr!]) lines(stream, line => onLine?.(line))
    child.on('exit', close)
  })

  function close(): void {
    if (ended) return
    ended = true
    server.close()
    server.closeAllConnections()
    finish({ outcome: 'died' })
    onEnd()
  }

  return {
    isBusy: () => sent,
    kill() {
      if (child === undefined) close()
      else child.kill('SIGKILL')
    },
    run: event =>
      new Promise(resolve => {
        if (ended) return resolve({ outcome: 'died' })
        work = { id: randomUUID(), event, resolve }
        hand()
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function lines(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = ''
  stream.on('data', chunk => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) if (line !== '') take(line)
  })
}
