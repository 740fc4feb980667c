/** The keys that sign callbacks, made and used with node-forge alone. */
import forge from 'node-forge'
import { z } from 'zod'
import type { Knobs } from './knobs.ts'
import type { StateFolder } from './state-folder.ts'

export const keySchema = z.object({ serial: z.string(), publicPem: z.string(), privatePem: z.string() })
const ringSchema = z.object({ active: keySchema, old: keySchema.nullable(), spare: keySchema.nullable() })

export type SigningKey = z.infer<typeof keySchema>

export interface Certificate {
  readonly certSerial: string
  readonly certPublic: string
}

export interface KeyRing {
  active(): SigningKey
  /** The data of the certificates answer. */
  certificates(knobs: Knobs): Promise<Certificate[] | Certificate>
  /** Makes a new active key; the old one is kept as a second certificate, or dropped. */
  rotate(knobs: Knobs): Promise<SigningKey>
  /** A key that no certificate shows. */
  stranger(): Promise<SigningKey>
}

const FILE = 'keys.json'

/** Takes up the keys of a former life, or makes the first one. */
export async function openKeyRing(folder: StateFolder, knobs: Knobs): Promise<KeyRing> {
  const stored = folder.read(FILE)
  let ring =
    stored === undefined
      ? { active: await makeKey(bitsOf(knobs)), old: null, spare: null }
      : ringSchema.parse(stored)
  folder.write(FILE, ring)
  let stranger: Promise<SigningKey> | undefined
  const change = (changed: Partial<z.infer<typeof ringSchema>>) => {
    ring = { ...ring, ...changed }
    folder.write(FILE, ring)
  }
  return {
    active: () => ring.active,
    certificates: async wanted => {
      const second = wanted.certificateCount === 2 && ring.old === null
      if (second && ring.spare === null) change({ spare: await makeKey(bitsOf(wanted)) })
      const others = [ring.old, second ? ring.spare : null].filter(key => key !== null)
      return shownAs(ring.active, others, wanted)
    },
    rotate: async wanted => {
      const active = await makeKey(bitsOf(wanted))
      change({ active, old: wanted.certificateKeepsOld ? ring.active : null })
      return active
    },
    stranger: () => (stranger ??= makeKey(bitsOf(knobs))),
  }
}

/** Base64 of RSASSA-PKCS1-v1_5 with SHA-256 over the UTF-8 bytes of `payload`. */
export function signPayload(key: SigningKey, payload: string): string {
  const digest = forge.md.sha256.create()
  digest.update(payload, 'utf8')
  return forge.util.encode64(privateKeyOf(key).sign(digest))
}

const parsedKeys = new WeakMap<SigningKey, forge.pki.rsa.PrivateKey>()

function privateKeyOf(key: SigningKey): forge.pki.rsa.PrivateKey {
  const parsed = parsedKeys.get(key) ?? forge.pki.privateKeyFromPem(key.privatePem)
  parsedKeys.set(key, parsed)
  return parsed
}

function shownAs(active: SigningKey, others: SigningKey[], knobs: Knobs): Certificate[] | Certificate {
  const show = (key: SigningKey): Certificate => ({
    certSerial: key.serial,
    certPublic: knobs.certificateFormat === 'pem' ? key.publicPem : bareBase64(key.publicPem),
  })
  if (knobs.certificateShape === 'object') return show(active)
  return (knobs.certificateOrder === 'active-first' ? [active, ...others] : [...others, active]).map(show)
}

function bareBase64(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '')
}

function bitsOf(knobs: Knobs): number {
  return Number.parseInt(knobs.certificateBits, 10)
}

/** A new key of that many bits. */
export async function makeKey(bits: number): Promise<SigningKey> {
  const pair = await new Promise<forge.pki.rsa.KeyPair>((resolve, reject) => {
    forge.pki.rsa.generateKeyPair({ bits }, (error, made) => (error ? reject(error) : resolve(made)))
  })
  const publicPem = forge.pki.publicKeyToPem(pair.publicKey).replaceAll('\r\n', '\n').trim()
  return { serial: serialOf(publicPem), publicPem, privatePem: forge.pki.privateKeyToPem(pair.privateKey) }
}

/** Upper-case hex MD5 of the PEM text, the only serial seen in public code. */
function serialOf(publicPem: string): string {
  return forge.md.md5.create().update(publicPem).digest().toHex().toUpperCase()
}
