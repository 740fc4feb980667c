/**
 * The result codes of PayerMax's acquiring pages; none are published for funds accounts.
 * https://docs.payermax.com/en/202606-version/appendix/collection/error-code-list.md
 * An unlisted code is kept as it is and treated as final.
 */
export const SUCCESS = 'APPLY_SUCCESS'
export const REQUEST_TIME_OVER = 'REQ_TIME_OVER_TIME'

interface ResultCode {
  readonly retry: boolean
  readonly hint?: string
}

const CODES: Readonly<Record<string, ResultCode>> = {
  SYSTEM_ERROR: { retry: true },
  REQUEST_TIMEOUT: { retry: true },
  UNEXPECTED_ERROR: { retry: true },
  TOO_MANY_REQUEST: { retry: true, hint: 'too many calls at once' },
  REQ_TIME_OVER_TIME: { retry: false, hint: "check this machine's clock" },
  SIGN_VERIFY_FAILED: {
    retry: false,
    hint: 'the private key does not belong to the public key that the portal knows for this app',
  },
  MERCHANT_INVALID: { retry: false, hint: 'check memberId' },
  MERCHANT_APP_INVALID: { retry: false, hint: 'check appId, and that its public key is set in the portal' },
  AUTHENTICATE_FAILED: { retry: false },
  PARAMS_INVALID: { retry: false },
  AMOUNT_INVALID: { retry: false },
  COUNTRY_INVALID: { retry: false },
  CURRENCY_INVALID: { retry: false },
  CONTRACT_INVALID: { retry: false },
  PAYMENT_REJECTED: { retry: false },
}

export function isRetryable(code: string): boolean {
  return Object.hasOwn(CODES, code) && CODES[code]?.retry === true
}

/** A sentence for a failure: its code, PayerMax's own words, and what to do about it. */
export function explainCode(code: string, message: string): string {
  const words = message.slice(0, 300).replace(/[.\s]+$/, '')
  const hint = Object.hasOwn(CODES, code) ? CODES[code]?.hint : undefined
  const said = words === '' ? '' : `: ${words}`
  return `PayerMax answered ${code.slice(0, 80)}${said}${hint === undefined ? '' : ` (${hint})`}`
}
