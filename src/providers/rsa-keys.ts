/** RSA keys in every shape providers print them; `node-forge` reads them, `node:crypto` uses them. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import forge from 'node-forge'
import { DaybookError } from '../domain/errors.ts'

/** The smallest RSA key that is trusted, in bits. */
export const SMALLEST_KEY_BITS = 2048

/**
 * Reads an RSA public key: PEM (`PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`) or the same as bare
 * Base64. Throws `provider-protocol` for anything else and for a key below `smallestBits`.
 */
export function readPublicKey(text: string, smallestBits: number = SMALLEST_KEY_BITS): KeyObject {
  const key = readForgeKey(text.trim())
  const bits = key?.n.bitLength() ?? 0
  if (key === undefined)
    throw new DaybookError('provider-protocol', 'The provider printed a public key that cannot be read.')
  if (bits < smallestBits) {
    const message = `The provider's public key has ${bits} bits; fewer than ${smallestBits} are not trusted.`
    throw new DaybookError('provider-protocol', message, { details: { bits } })
  }
  return createPublicKey(forge.pki.publicKeyToPem(key))
}

function readForgeKey(text: string): forge.pki.rsa.PublicKey | undefined {
  for (const read of [readPem, readSubjectPublicKey, readCertificate]) {
    try {
      return read(text)
    } catch {
      // Each shape is tried in turn; what none of them reads is refused by the caller.
    }
  }
  return undefined
}

function readPem(text: string): forge.pki.rsa.PublicKey {
  return text.includes('BEGIN CERTIFICATE')
    ? (forge.pki.certificateFromPem(text).publicKey as forge.pki.rsa.PublicKey)
    : (forge.pki.publicKeyFromPem(text) as forge.pki.rsa.PublicKey)
}

function readSubjectPublicKey(text: string): forge.pki.rsa.PublicKey {
  return forge.pki.publicKeyFromAsn1(readBase64(text)) as forge.pki.rsa.PublicKey
}

function readCertificate(text: string): forge.pki.rsa.PublicKey {
  return forge.pki.certificateFromAsn1(readBase64(text)).publicKey as forge.pki.rsa.PublicKey
}

function readBase64(text: string): forge.asn1.Asn1 {
  return forge.asn1.fromDer(forge.util.decode64(text.replace(/\s+/g, '')))
}

/**
 * Reads an RSA private key that the merchant made: PEM or bare Base64, PKCS#8 or PKCS#1. Throws
 * `config-invalid`, without a word of the key.
 */
export function readPrivateKey(text: string): KeyObject {
  for (const read of [readPrivatePem, readPrivateInfo]) {
    try {
      return createPrivateKey(forge.pki.privateKeyToPem(read(text.trim())))
    } catch {
      // Each shape is tried in turn; what none of them reads is refused below.
    }
  }
  throw new DaybookError('config-invalid', 'The private key cannot be read: expected RSA, PKCS#8 or PKCS#1.')
}

function readPrivatePem(text: string): forge.pki.rsa.PrivateKey {
  return forge.pki.privateKeyFromPem(text)
}

function readPrivateInfo(text: string): forge.pki.rsa.PrivateKey {
  return forge.pki.privateKeyFromAsn1(readBase64(text))
}
