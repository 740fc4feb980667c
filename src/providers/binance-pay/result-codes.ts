/** The result codes of the documentation. An unlisted code is kept as it is and treated as final. */

interface ResultCode {
  readonly name: string
  /** `refused`: nothing was done; `ambiguous`: something may have been done, or may be done on a later try. */
  readonly meaning: 'refused' | 'ambiguous'
  /** What the owner can do about it. */
  readonly hint?: string
}

const RESULT_CODES: Readonly<Record<string, ResultCode>> = {
  '100001001': {
    name: 'SYSTEM_ABNORMALITY',
    meaning: 'ambiguous',
    hint: 'the gateway did not take the request',
  },
  '400000': { name: 'UNKNOWN_ERROR', meaning: 'ambiguous' },
  '400001': { name: 'INVALID_REQUEST', meaning: 'refused' },
  '400002': {
    name: 'INVALID_SIGNATURE',
    meaning: 'refused',
    hint: 'check the API secret; the masked form that the portal shows later cannot sign',
  },
  '400003': { name: 'INVALID_TIMESTAMP', meaning: 'refused', hint: "check this machine's clock" },
  '400004': {
    name: 'INVALID_API_KEY_OR_IP',
    meaning: 'refused',
    hint: "check the API key, its permissions and the portal's list of allowed addresses",
  },
  '400005': { name: 'BAD_API_KEY_FMT', meaning: 'refused', hint: 'check the API key' },
  '400006': { name: 'BAD_HTTP_METHOD', meaning: 'refused' },
  '400007': { name: 'MEDIA_TYPE_NOT_SUPPORTED', meaning: 'refused' },
  '400008': { name: 'INVALID_REQUEST_BODY', meaning: 'refused' },
  '400100': { name: 'MANDATORY_PARAM_EMPTY_OR_MALFORMED', meaning: 'refused' },
  '400101': { name: 'INVALID_PARAM_WRONG_LENGTH', meaning: 'refused' },
  '400102': { name: 'INVALID_PARAM_WRONG_VALUE', meaning: 'refused' },
  '400103': { name: 'INVALID_PARAM_ILLEGAL_CHAR', meaning: 'refused' },
  '400104': { name: 'INVALID_REQUEST_TOO_LARGE', meaning: 'refused' },
  '400201': { name: 'INVALID_MERCHANT_TRADE_NO', meaning: 'refused' },
  '400202': { name: 'ORDER_NOT_FOUND', meaning: 'refused' },
  '400203': {
    name: 'INVALID_ACCOUNT_STATUS',
    meaning: 'refused',
    hint: 'Binance may have to enable balance reports for this merchant',
  },
  '400206': { name: 'SUB_MERCHANT_INVALID', meaning: 'refused' },
  '400601': { name: 'ACCOUNT_NOT_FOUND', meaning: 'refused' },
  '400606': { name: 'MERCHANT_ACCESS_FORBIDDEN', meaning: 'refused' },
  '406107': { name: 'MERCHANT_TRANSFER_MERCHANT_TYPE_INVALID', meaning: 'refused' },
  '406108': { name: 'MERCHANT_TRANSFER_MERCHANT_TOO_FREQUENT', meaning: 'refused' },
  '406207': { name: 'CONTRACT_NOT_FOUND', meaning: 'refused' },
  '406212': { name: 'CONTRACT_NOT_SIGNED', meaning: 'refused' },
}

/** The code for a timestamp outside the provider's window. */
export const INVALID_TIMESTAMP = '400003'

/** Whether a failure with this code may have had an effect. */
export function isAmbiguous(code: string): boolean {
  return known(code)?.meaning === 'ambiguous'
}

/** What is known of a code. The code comes from outside, so it may be the name of anything. */
function known(code: string): ResultCode | undefined {
  return Object.hasOwn(RESULT_CODES, code) ? RESULT_CODES[code] : undefined
}

/** A sentence for a failure: code, name, the provider's own words, and what to do about it. */
export function explainCode(code: string, message: string): string {
  const listed = known(code)
  const name = listed === undefined ? code : `${code} ${listed.name}`
  const words = message.slice(0, 300).replace(/[.\s]+$/, '')
  const said = words === '' ? '' : `: ${words}`
  return `Binance Pay answered ${name}${said}${listed?.hint === undefined ? '' : ` (${listed.hint})`}`
}
