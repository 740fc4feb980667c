/** Pre-signed links: whoever has one may fetch, until it expires. Nothing about them is stored. */
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface LinkToken {
  readonly reportId: string
  /** By the host's clock. */
  readonly expiresAtMs: number
}

export function writeLinkToken(secret: string, { reportId, expiresAtMs }: LinkToken): string {
  const claim = `${reportId}-${expiresAtMs}`
  return `${claim}-${seal(secret, claim)}`
}

/** What a token says, or `undefined` when it is not one of this sandbox. */
export function readLinkToken(secret: string, token: string): LinkToken | undefined {
  const match = /^(\d{1,20})-(\d{1,16})-([0-9a-f]{40})$/.exec(token)
  if (match === null) return undefined
  const [, reportId = '', expires = '', given = ''] = match
  const expected = seal(secret, `${reportId}-${expires}`)
  if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return undefined
  return { reportId, expiresAtMs: Number.parseInt(expires, 10) }
}

function seal(secret: string, claim: string): string {
  return createHmac('sha256', secret).update(claim).digest('hex').slice(0, 40)
}
