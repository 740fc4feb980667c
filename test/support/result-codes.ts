/** The result codes that Binance Pay documents, by the part of its pages that lists them. */

/** What leaves open whether anything was done. */
export const OPEN_CODE = ['400000', 'UNKNOWN_ERROR'] as const

/** On every page. */
export const SHARED_CODES = [
  ['400001', 'INVALID_REQUEST'],
  ['400002', 'INVALID_SIGNATURE'],
  ['400003', 'INVALID_TIMESTAMP'],
  ['400004', 'INVALID_API_KEY_OR_IP'],
  ['400005', 'BAD_API_KEY_FMT'],
  ['400100', 'MANDATORY_PARAM_EMPTY_OR_MALFORMED'],
  ['400101', 'INVALID_PARAM_WRONG_LENGTH'],
  ['400102', 'INVALID_PARAM_WRONG_VALUE'],
  ['400103', 'INVALID_PARAM_ILLEGAL_CHAR'],
] as const

/** On the pages of the wallet balance and of direct debits. */
export const REQUEST_CODES = [
  ['400006', 'BAD_HTTP_METHOD'],
  ['400007', 'MEDIA_TYPE_NOT_SUPPORTED'],
  ['400008', 'INVALID_REQUEST_BODY'],
] as const

/** On the pages of the balance report and of the wallet balance. */
export const SIZE_CODES = [['400104', 'INVALID_REQUEST_TOO_LARGE']] as const

/** On the page of the balance report. */
export const REPORT_CODES = [
  ['400201', 'INVALID_MERCHANT_TRADE_NO'],
  ['400202', 'ORDER_NOT_FOUND'],
  ['400203', 'INVALID_ACCOUNT_STATUS'],
] as const

/** On the page of the direct debit notice. */
export const DEBIT_CODES = [
  ['406107', 'MERCHANT_TRANSFER_MERCHANT_TYPE_INVALID'],
  ['406108', 'MERCHANT_TRANSFER_MERCHANT_TOO_FREQUENT'],
] as const

/** On other pages, or seen by others. */
export const OTHER_CODES = [
  ['400206', 'SUB_MERCHANT_INVALID'],
  ['400601', 'ACCOUNT_NOT_FOUND'],
  ['400606', 'MERCHANT_ACCESS_FORBIDDEN'],
  ['406207', 'CONTRACT_NOT_FOUND'],
  ['406212', 'CONTRACT_NOT_SIGNED'],
] as const
