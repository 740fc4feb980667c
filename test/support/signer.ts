/** A provider's signing side in a few lines of its own: a key, its certificate endpoint, and signed headers. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Signer {
  /** The base address of an API that answers the certificates and nothing else. */
  readonly url: string
  /** How often the certificates were asked for. */
  asked(): number
  /** The headers of a callback with this body. */
  headers(body: string | Buffer, changed?: Partial<SignedParts>): Record<string, string>
  /** From now on another key signs; the old one is no longer answered. */
  rotate(): void
  stop(): Promise<void>
}

interface SignedParts {
  readonly timestamp: number
  readonly nonce: string
  readonly serial: string
  readonly key: KeyObject
}

export async function startSigner(now: () => Date): Promise<Signer> {
  let pair = newPair()
  let asked = 0
  const server = createServer((request, response) => {
    request.resume()
    asked++
    const data = [{ certSerial: pair.serial, certPublic: pair.pem }]
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ status: 'SUCCESS', code: '000000', data }))
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    headers(body, changed = {}) {
      const parts = { timestamp: now().getTime(), nonce: 'n'.repeat(32), ...pair, ...changed }
      const payload = Buffer.concat([
        Buffer.from(`${parts.timestamp}\n${parts.nonce}\n`),
        Buffer.from(body),
        Buffer.from('\n'),
      ])
      return {
        'BinancePay-Timestamp': parts.timestamp.toString(),
        'BinancePay-Nonce': parts.nonce,
        'BinancePay-Certificate-SN': parts.serial,
        'BinancePay-Signature': sign('RSA-SHA256', payload, parts.key).toString('base64'),
      }
    },
    rotate() {
      pair = newPair()
    },
    stop: () => new Promise(closed => server.close(() => closed())),
  }
}

function newPair(): { key: KeyObject; pem: string; serial: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString().trim()
  return { key: privateKey, pem, serial: createHash('md5').update(pem).digest('hex').toUpperCase() }
}

/** The body of a balance callback, in the documented order of fields. */
export function balanceBody(
  reportId: string,
  inner: Record<string, unknown> = {},
  outer: Record<string, unknown> = {},
): string {
  const data = {
    downloadType: 'merchant_balance_download_task',
    downloadId: 'ID',
    userId: 100102465376,
    status: 2,
    downloadLink: 'https://files.example.com/report.csv?signature=planted',
    expirationTimestamp: 4_102_444_800_000,
    createTime: '2026-10-15 12:00:00',
    ...inner,
  }
  const fields = {
    bizType: 'BALANCE',
    data: JSON.stringify(data).replace('"ID"', reportId),
    bizIdStr: reportId,
    bizId: 'ID',
    bizStatus: 'BALANCE_SUCCESS',
    ...outer,
  }
  return JSON.stringify(fields).replace('"bizId":"ID"', `"bizId":${reportId}`)
}
