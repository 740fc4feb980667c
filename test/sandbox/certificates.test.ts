import { createHash, createPublicKey } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { defaultKnobs, type Knobs } from '../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import {
  call,
  certificates,
  isSigned,
  type Receiver,
  startReceiver,
  startTestSandbox,
} from '../support/sandbox-client.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop()
})

async function start(knobs: Partial<Knobs> = {}): Promise<{ sandbox: Sandbox; receiver: Receiver }> {
  const receiver = await startReceiver()
  const sandbox = await startTestSandbox({ knobs: { callbackUrl: receiver.url, ...knobs } })
  running.push(receiver, sandbox)
  return { sandbox, receiver }
}

const bitsOf = (pem: string) => createPublicKey(pem).asymmetricKeyDetails?.modulusLength

test('an enveloped array of one certificate, its serial the MD5 of its text', async () => {
  const { sandbox } = await start({ certificateBits: defaultKnobs.certificateBits })
  const { json } = await call(sandbox, { path: '/binancepay/openapi/certificates' })
  expect(json).toMatchObject({ status: 'SUCCESS', code: '000000' })
  const [{ certSerial, certPublic }] = json.data
  expect(json.data).toHaveLength(1)
  expect(certPublic).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
  expect(certSerial).toBe(createHash('md5').update(certPublic).digest('hex').toUpperCase())
  expect(bitsOf(certPublic)).toBe(2048)
  expect((await call(sandbox, { path: '/binancepay/openapi/certificates', body: '[]' })).json.data).toEqual(
    json.data,
  )
})

test.each(['1024', '2048', '4096'] as const)('keys of %s bits', async certificateBits => {
  const { sandbox, receiver } = await start({ certificateBits })
  const [{ certPublic }] = await certificates(sandbox)
  expect(bitsOf(certPublic)).toBe(Number(certificateBits))
  await sandbox.deliver({})
  expect(isSigned(receiver.received[0]!, certPublic)).toBe(true)
})

test('shapes: two entries in either order, an object, bare base64', async () => {
  const { sandbox, receiver } = await start()
  const [active] = await certificates(sandbox)
  const two = await certificates(sandbox, { knobs: { certificateCount: 2 } })
  expect(two).toEqual([
    active,
    { certSerial: expect.stringMatching(/^[0-9A-F]{32}$/), certPublic: expect.any(String) },
  ])
  const last = await certificates(sandbox, {
    knobs: { certificateCount: 2, certificateOrder: 'active-last' },
  })
  expect(last).toEqual([...two].reverse())
  expect(await certificates(sandbox, { knobs: { certificateShape: 'object' } })).toEqual(active)
  const [bare] = await certificates(sandbox, { knobs: { certificateFormat: 'base64' } })
  expect(bare.certPublic).toMatch(/^[A-Za-z0-9+/=]+$/)
  await sandbox.deliver({})
  expect(isSigned(receiver.received[0]!, bare.certPublic)).toBe(true)
})

test('a rotation keeps the old key as a second entry, or drops it', async () => {
  const { sandbox, receiver } = await start()
  const [first] = await certificates(sandbox)
  const serial = await sandbox.rotateKey()
  const [second, old] = await certificates(sandbox)
  expect([second.certSerial, old]).toEqual([serial, first])
  await sandbox.deliver({})
  expect(receiver.received[0]!.headers['binancepay-certificate-sn']).toBe(serial)
  expect(isSigned(receiver.received[0]!, second.certPublic)).toBe(true)
  expect(isSigned(receiver.received[0]!, first.certPublic)).toBe(false)
  sandbox.setKnobs({ certificateKeepsOld: false })
  await sandbox.rotateKey()
  const alone = await certificates(sandbox)
  expect(alone).toHaveLength(1)
  expect([first, second]).not.toContainEqual(alone[0])
})
