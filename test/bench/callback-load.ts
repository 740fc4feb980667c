/**
 * A sender of callbacks on keep-alive connections, in a few lines over bare sockets: an HTTP client would take
 * more of the two cores than some of the servers that are measured.
 */
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { balanceBody, type Signer } from '../support/signer.ts'

/** A request, ready to be written. */
export type Letter = Buffer

export interface Sent {
  readonly status: number
  readonly ms: number
}

export type LetterKind = 'payment' | 'report' | 'forged'

/** Signed callbacks of about 600 bytes, each about something else. `first` sets them apart from other batches. */
export function letters(
  signer: Signer,
  { kind, count, first, path }: { kind: LetterKind; count: number; first: number; path: string },
): Letter[] {
  const stolen = signer.headers(bodyOf(kind, first - 1))
  return Array.from({ length: count }, (_, index) => {
    const body = bodyOf(kind, first + index)
    // A forger has seen a signature, of another message.
    return letterOf(path, body, kind === 'forged' ? stolen : signer.headers(body))
  })
}

function letterOf(path: string, body: string, headers: Record<string, string>): Letter {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

function bodyOf(kind: LetterKind, number: number): string {
  const id = `${466780563000000000n + BigInt(number)}`
  if (kind === 'report')
    return balanceBody(id, { downloadLink: `https://files.example.com/${'r'.repeat(180)}` })
  const data = {
    merchantTradeNo: `${9_825_382_937_292 + number}`,
    productType: 'Food',
    productName: `Ice Cream ${'x'.repeat(250)}`,
    transactTime: 1619508939664,
    tradeType: 'WEB',
    totalFee: '0.88000000',
    currency: 'USDT',
    openUserId: '1211HS10K81f4273ac031',
  }
  return JSON.stringify({
    bizType: 'PAY',
    data: JSON.stringify(data),
    bizIdStr: id,
    bizId: id,
    bizStatus: 'PAY_SUCCESS',
  })
}

/** Sends all letters, each connection the next one as soon as it is answered. */
export async function sendAll(port: number, all: readonly Letter[], connections: number) {
  const lines = await openLines(port, connections)
  const sent: Sent[] = []
  const began = performance.now()
  let next = 0
  await Promise.all(
    lines.map(async line => {
      for (let letter = all[next++]; letter !== undefined; letter = all[next++])
        sent.push(await line.send(letter))
    }),
  )
  const wallMs = performance.now() - began
  for (const line of lines) line.close()
  return { sent, wallMs }
}

/** Sends letters at a steady rate, whether or not earlier ones are answered; the wait for a connection counts. */
export async function sendSteadily(
  port: number,
  all: readonly Letter[],
  { connections, perSecond }: { connections: number; perSecond: number },
): Promise<Sent[]> {
  const lines = await openLines(port, connections)
  const idle = [...lines]
  const waiting: Array<(line: Line) => void> = []
  const takeLine = () => {
    const line = idle.pop()
    return line !== undefined ? Promise.resolve(line) : new Promise<Line>(resolve => waiting.push(resolve))
  }
  const giveBack = (line: Line) => {
    const waiter = waiting.shift()
    if (waiter === undefined) idle.push(line)
    else waiter(line)
  }
  const began = performance.now()
  const sending: Promise<Sent>[] = []
  for (const [index, letter] of all.entries()) {
    const dueMs = began + (index * 1000) / perSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 1) await sleep(waitMs)
    sending.push(
      (async () => {
        const line = await takeLine()
        const { status } = await line.send(letter)
        giveBack(line)
        return { status, ms: performance.now() - dueMs }
      })(),
    )
  }
  const sent = await Promise.all(sending)
  for (const line of lines) line.close()
  return sent
}

interface Line {
  send(letter: Letter): Promise<Sent>
  close(): void
}

function openLines(port: number, connections: number): Promise<Line[]> {
  return Promise.all(Array.from({ length: connections }, () => openLine(port)))
}

async function openLine(port: number): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const answers = answersOf(socket)
  return {
    async send(letter) {
      const began = performance.now()
      const answer = answers.next()
      socket.write(letter)
      return { status: await answer, ms: performance.now() - began }
    },
    close: () => void socket.destroy(),
  }
}

/** The statuses of a connection's answers, one at a time. */
function answersOf(socket: Socket): { next(): Promise<number> } {
  let pending: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined
  let text = ''
  const fail = (error: Error) => pending?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('The server has closed a connection.')))
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
    const head = text.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number.parseInt(/content-length: (\d+)/i.exec(text)?.[1] ?? '', 10)
    if (text.length < head + 4 + length) return
    const status = Number.parseInt(text.slice(9, 12), 10)
    text = text.slice(head + 4 + length)
    pending?.resolve(status)
  })
  return {
    next: () =>
      new Promise((resolve, reject) => {
        pending = { resolve, reject }
      }),
  }
}
