/**
 * POST /binancepay/openapi/certificates
 * https://developers.binance.com/docs/binance-pay/webhook-query-certificate
 *
 * ask    {}
 * answer an envelope whose `data` is one or several of {"certSerial":text,"certPublic":PEM or Base64 DER}
 */
import { DaybookError } from '../../domain/errors.ts'
import type { JsonValue } from '../../domain/json.ts'
import { isObject, textOf } from '../json-fields.ts'
import type { Envelope } from './envelope.ts'

export const CERTIFICATES_PATH = '/binancepay/openapi/certificates'

export interface CertificateEntry {
  readonly serial: string
  /** As printed by the provider: PEM or Base64. */
  readonly publicKey: string
}

export function certificatesBody(): unknown {
  return {}
}

/** The keys that sign callbacks. Throws `provider-refused` or `provider-protocol`. */
export function readCertificatesAnswer(envelope: Envelope): CertificateEntry[] {
  if (envelope.result === 'failure') {
    const code = envelope.ambiguous ? 'provider-unreachable' : 'provider-refused'
    throw new DaybookError(code, `${envelope.says}.`, { details: { providerCode: envelope.code } })
  }
  const data: JsonValue = envelope.result === 'success' ? envelope.data : envelope.body
  const entries = (Array.isArray(data) ? data : [data]).flatMap(readEntry)
  if (entries.length > 0) return entries
  throw new DaybookError('provider-protocol', 'Binance Pay answered no certificate that can be read.')
}

function readEntry(entry: JsonValue): CertificateEntry[] {
  if (!isObject(entry)) return []
  const serial = textOf(entry.certSerial)
  const publicKey = textOf(entry.certPublic)
  return serial === undefined || publicKey === undefined ? [] : [{ serial, publicKey }]
}
