/** Starts a server that behaves like Binance Pay for balance reports. */
import { createHash } from 'node:crypto'
import { once, setMaxListeners } from 'node:events'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { addDays, type Day, dayOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import type { Clock, Random } from '../host.ts'
import { type BooksSnapshot, type Delivery, openBooks } from './books.ts'
import { type CustomCallback, startCallbacks } from './callbacks.ts'
import { type DebitEntry, openDebitBook } from './debit-book.ts'
import { createIdMint } from './ids.ts'
import { defaultKnobs, type Knobs, readKnobs } from './knobs.ts'
import { API_KEY_FORM, type Merchant } from './request-checks.ts'
import { createSandboxServer } from './server.ts'
import { keySchema, makeKey, openKeyRing, type SigningKey } from './signing-keys.ts'
import { openStateFolder, type StateFolder } from './state-folder.ts'
import { openWalletBooks } from './wallet-books.ts'
import type { World } from './world.ts'

export interface SandboxOptions {
  /** `127.0.0.1` when left out. */
  readonly host?: string
  /** A free port when left out. */
  readonly port?: number
  readonly merchants: readonly Merchant[]
  /** The folder of its books; without it a sandbox forgets everything when it ends. */
  readonly stateDir?: string
  /** The rows of all reports follow from it. */
  readonly seed: string
  readonly knobs?: Partial<Knobs>
  readonly clock: Clock
  readonly random: Random
  readonly log?: (event: string, fields: Readonly<Record<string, unknown>>) => void
}

export interface Sandbox {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  readonly port: number
  books(): BooksSnapshot
  /** Notices and debits it has taken, in order. */
  debits(): readonly DebitEntry[]
  /** The public key that signs PayerMax's answers, as PEM. */
  payermaxPublicKey(): Promise<string>
  /** Changes some knobs from now on; counts of `faultTimes` begin anew. */
  setKnobs(changed: Partial<Knobs>): void
  /** Makes a new signing key; resolves to its serial. */
  rotateKey(): Promise<string>
  /** Sends a report's callback once more, under other knobs if wanted; resolves when it is settled. */
  redeliver(reportId: string, overrides?: Partial<Knobs>): Promise<Delivery[]>
  /** Sends any callback, signed as a real one; resolves when it is acknowledged or given up. */
  deliver(callback: CustomCallback): Promise<Delivery[]>
  /** Ends everything: connections, timers, retries. */
  stop(): Promise<void>
}

/** Starts the sandbox; throws `config-invalid` for merchants or knobs that cannot be. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  checkMerchants(options.merchants)
  const stopping = new AbortController()
  // Every wait of every callback listens to it.
  setMaxListeners(0, stopping.signal)
  const tasks = new Set<Promise<unknown>>()
  let origin = ''
  const world = await createWorld(options, stopping.signal, tasks, () => origin)
  const callbacks = startCallbacks(world)
  const server = createSandboxServer(world, callbacks)
  const host = options.host ?? '127.0.0.1'
  server.listen(options.port ?? 0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  world.books.reports().forEach(callbacks.schedule)
  world.log('sandbox.started', { url: origin })
  return {
    url: origin,
    port,
    books: world.books.snapshot,
    debits: () => world.debits.all(),
    payermaxPublicKey: async () => (await world.payermaxKey()).publicPem,
    setKnobs: world.setKnobs,
    rotateKey: async () => (await world.keys.rotate(world.knobs())).serial,
    redeliver: async (reportId, overrides) => callbacks.redeliver(reportId, readKnobs(overrides ?? {})),
    deliver: callback => callbacks.deliver(callback),
    stop: async () => {
      stopping.abort()
      server.close()
      server.closeAllConnections()
      await callbacks.close()
      await Promise.allSettled(tasks)
    },
  }
}

async function createWorld(
  options: SandboxOptions,
  stopping: AbortSignal,
  tasks: Set<Promise<unknown>>,
  origin: () => string,
): Promise<World> {
  const { clock, random, seed, merchants } = options
  let knobs: Knobs = { ...defaultKnobs, ...readKnobs(options.knobs ?? {}) }
  const folder = openStateFolder(options.stateDir)
  const books = openBooks(folder)
  const faultsMet = new Map<string, number>()
  const nonces = new Set<string>()
  const log = options.log ?? (() => {})
  const openedOn = openingDay(folder, clock)
  const counts = new Map<string, number>()
  let payermaxKey: Promise<SigningKey> | undefined
  return {
    ...{ merchants, seed, books, clock, random, log, stopping, origin, openedOn },
    wallets: openWalletBooks(seed, openedOn),
    debits: openDebitBook(),
    payermaxKey: () => (payermaxKey ??= payermaxKeyOf(folder)),
    countOf: name => {
      const next = (counts.get(name) ?? 0) + 1
      counts.set(name, next)
      return next
    },
    keys: await openKeyRing(folder, knobs),
    linkSecret: linkSecretOf(folder, random),
    knobs: () => knobs,
    setKnobs: changed => {
      knobs = { ...knobs, ...readKnobs(changed) }
      faultsMet.clear()
      counts.clear()
    },
    mintId: createIdMint(nodeOf(seed), id => books.report(id) !== undefined),
    meetsFault: (fault, inForce) => {
      if (inForce[fault] === 'none') return false
      const met = (faultsMet.get(fault) ?? 0) + 1
      faultsMet.set(fault, met)
      return inForce.faultTimes === 0 || met <= inForce.faultTimes
    },
    useNonce: (merchant, nonce) => {
      const isNew = !nonces.has(`${merchant} ${nonce}`)
      nonces.add(`${merchant} ${nonce}`)
      return isNew
    },
    background: task => {
      const kept = task
        .catch(error => {
          if (!stopping.aborted) log('sandbox.failed', { message: String(error) })
        })
        .finally(() => tasks.delete(kept))
      tasks.add(kept)
    },
  }
}

/** How far back accounts have a history: PayerMax tells of ninety days in either zone. */
const HISTORY_DAYS = 100

/** The first day of every account, kept so that balances outlive a restart. */
function openingDay(folder: StateFolder, clock: Clock): Day {
  const stored = folder.read('opened.json')
  if (stored !== undefined) return z.object({ openedOn: z.string() }).parse(stored).openedOn
  const openedOn = addDays(dayOf(clock.now()), -HISTORY_DAYS)
  folder.write('opened.json', { openedOn })
  return openedOn
}

const PAYERMAX_KEY_BITS = 2048

async function payermaxKeyOf(folder: StateFolder): Promise<SigningKey> {
  const stored = folder.read('payermax-key.json')
  if (stored !== undefined) return keySchema.parse(stored)
  const key = await makeKey(PAYERMAX_KEY_BITS)
  folder.write('payermax-key.json', key)
  return key
}

/** The secret of the links, kept so that links outlive a restart. */
function linkSecretOf(folder: StateFolder, random: Random): string {
  const stored = folder.read('links.json')
  if (stored !== undefined) return z.object({ secret: z.string() }).parse(stored).secret
  const secret = random.hex(64)
  folder.write('links.json', { secret })
  return secret
}

function nodeOf(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE() % 2 ** 19
}

function checkMerchants(merchants: readonly Merchant[]): void {
  const fault = merchantFault(merchants)
  if (fault !== undefined) throw new DaybookError('config-invalid', fault)
}

function merchantFault(merchants: readonly Merchant[]): string | undefined {
  if (merchants.length === 0) return 'The sandbox needs a merchant.'
  const isUnique = (values: string[]) => new Set(values).size === values.length
  if (!isUnique(merchants.map(({ name }) => name))) return 'Two merchants have the same name.'
  if (!isUnique(merchants.map(({ apiKey }) => apiKey))) return 'Two merchants have the same API key.'
  const odd = merchants.find(({ apiKey }) => !API_KEY_FORM.test(apiKey))
  return odd && `The API key of ${odd.name} is not one: 8 to 128 letters, digits, - or _.`
}
