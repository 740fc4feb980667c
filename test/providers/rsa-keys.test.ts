import {
  generateKeyPairSync,
  type KeyObject,
  type RSAKeyPairKeyObjectOptions,
  sign,
  verify,
} from 'node:crypto'
import forge from 'node-forge'
import { describe, expect, it } from 'vitest'
import { readPublicKey, SMALLEST_KEY_BITS } from '../../src/providers/rsa-keys.ts'

const rsa = (modulusLength: number, more: Partial<RSAKeyPairKeyObjectOptions> = {}) =>
  generateKeyPairSync('rsa', { modulusLength, ...more })
const pair = rsa(2048)
const pem = (key: KeyObject, type: 'spki' | 'pkcs1') => key.export({ type, format: 'pem' }).toString()
const bare = (text: string) => text.replace(/-----[^-]+-----|\s/g, '')
const spki = pem(pair.publicKey, 'spki')
const pkcs1 = pem(pair.publicKey, 'pkcs1')
const certificate = selfSigned(pair)

function selfSigned({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): string {
  const made = forge.pki.createCertificate()
  made.publicKey = forge.pki.publicKeyFromPem(pem(publicKey, 'spki'))
  made.serialNumber = '01'
  made.validity.notBefore = new Date('2020-01-01T00:00:00Z')
  made.validity.notAfter = new Date('2021-01-01T00:00:00Z')
  made.setSubject([{ name: 'commonName', value: 'binance-pay' }])
  made.setIssuer([{ name: 'commonName', value: 'binance-pay' }])
  const signer = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())
  made.sign(signer, forge.md.sha256.create())
  return forge.pki.certificateToPem(made)
}

const EC_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUJx/Jo690+iO7EhaM2u0522V8P8YwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjAxODI2NTNaGA8yMTI2MTAyNzE4MjY1
M1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKXw
eDaDbpMYUgDjJejXLdxzFWdumEaYOVt7zRt3Cxw0X4VImTtj/D5wEe9nsJ47GO90
BtqakogFYgPKrHWwo4KjUzBRMB0GA1UdDgQWBBS3s9TRJ18knqHy6fapFDa7CQn8
ijAfBgNVHSMEGDAWgBS3s9TRJ18knqHy6fapFDa7CQn8ijAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIQCWobDDRpNbfPZrHnFosvplOTVm3KgRmwgY
4FmG90PWagIgGt+pxPaqBFdQxY4Jui9nZN1LE6kZ/XuLjblBffsyTf8=
-----END CERTIFICATE-----`

const unreadable = expect.objectContaining({
  code: 'provider-protocol',
  message: 'The provider printed a public key that cannot be read.',
})

describe('a public key', () => {
  it.each([
    ['PEM of its info', spki],
    ['PEM of PKCS 1', pkcs1],
    ['PEM of a certificate', certificate],
    ['bare base64 of its info', bare(spki)],
    ['bare base64 of PKCS 1', bare(pkcs1)],
    ['bare base64 of a certificate', bare(certificate)],
    ['PEM with line ends of Windows', spki.replaceAll('\n', '\r\n')],
    ['PEM with space around it', `\n\n  ${spki}  \n`],
    ['PEM without line ends', spki.replaceAll('\n', '')],
    ['base64 in lines', bare(spki).replace(/.{64}/g, '$&\n')],
    ['base64 in lines of Windows', bare(certificate).replace(/.{76}/g, '$&\r\n')],
  ])('is read from %s', (_, text) => {
    const key = readPublicKey(text)
    expect(key.asymmetricKeyType).toBe('rsa')
    expect(key.equals(pair.publicKey)).toBe(true)
    const payload = Buffer.from('payload')
    expect(verify('RSA-SHA256', payload, key, sign('RSA-SHA256', payload, pair.privateKey))).toBe(true)
  })

  it.each([3072, 4096])('may have %i bits', bits => {
    const { publicKey } = rsa(bits)
    expect(readPublicKey(pem(publicKey, 'spki')).equals(publicKey)).toBe(true)
  })
})

describe('the floor', () => {
  it('is 2048 bits', () => expect(SMALLEST_KEY_BITS).toBe(2048))

  it.each([512, 1024, 2040])('refuses %i bits in every shape, and says how many there are', bits => {
    const small = rsa(bits)
    for (const text of [
      pem(small.publicKey, 'spki'),
      bare(pem(small.publicKey, 'pkcs1')),
      selfSigned(small),
    ]) {
      expect(() => readPublicKey(text)).toThrow(
        expect.objectContaining({ code: 'provider-protocol', details: { bits } }),
      )
    }
  })

  it('can be lowered for the documented vector only by whoever asks for it', () => {
    const { publicKey } = rsa(1024)
    expect(readPublicKey(pem(publicKey, 'spki'), 1024).equals(publicKey)).toBe(true)
  })
})

describe('what is not an RSA public key', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  const edwards = generateKeyPairSync('ed25519').publicKey
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

  it.each([
    ['nothing', ''],
    ['space', ' \n'],
    ['words', 'this is not a key'],
    ['base64 of words', Buffer.from('this is not a key').toString('base64')],
    ['HTML', '<html><body>403</body></html>'],
    ['PEM without content', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----'],
    ['PEM of nonsense', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'],
    ['half a key', bare(spki).slice(0, 200)],
    ['a key with more behind it', `${bare(spki).slice(0, -4)}AAAAAAAA`],
    ['an EC key', pem(ec, 'spki')],
    ['a bare EC key', bare(pem(ec, 'spki'))],
    ['an EC certificate', EC_CERTIFICATE],
    ['a bare EC certificate', bare(EC_CERTIFICATE)],
    ['an Ed25519 key', pem(edwards, 'spki')],
    ['an RSA-PSS key', pem(pss, 'spki')],
    ['a private key', privateKey],
    ['a bare private key', bare(privateKey)],
  ])('is refused: %s', (_, text) => {
    expect(() => readPublicKey(text)).toThrow(unreadable)
  })

  it('is refused in a moment, however long it is', () => {
    for (const text of ['A'.repeat(1_000_000), '-----BEGIN '.repeat(50_000), '0'.repeat(999_999)]) {
      expect(() => readPublicKey(text)).toThrow(unreadable)
    }
  })
})
