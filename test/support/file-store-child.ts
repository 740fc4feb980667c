/** A process that uses a folder store until it is done or killed: `file-store-child.ts ROOT WORK ARGUMENT`. */
import { writeSync } from 'node:fs'
import { systemRandom } from '../../src/host.ts'
import { fileStore } from '../../src/stores/file-store.ts'
import { create, increment } from './objects.ts'

const [root = '', work = '', argument = ''] = process.argv.slice(2)
const store = fileStore(root, { random: systemRandom })

const works: Record<string, () => Promise<void>> = {
  /** Tries to create many objects, and prints the keys of those it created. */
  async race() {
    for (let index = 0; index < Number(argument); index++) {
      const { outcome } = await store.create(`race/${index}`, Buffer.from(`${process.pid}`))
      if (outcome === 'created') console.log(`race/${index}`)
    }
  },

  async increment() {
    for (let step = 0; step < Number(argument); step++) await increment(store, 'count')
  },

  /** Creates and replaces objects made of one character until it is killed. */
  async churn() {
    console.log('ready')
    for (let round = 0; ; round++) {
      const body = Buffer.alloc(200_000, 'abcdefgh'[round % 8])
      await store.create(`churn/${argument}-${round}`, body)
      const current = await store.head('churn/shared')
      if (current === undefined) await store.create('churn/shared', body)
      else await store.replace('churn/shared', body, current.etag)
    }
  },

  /** Creates objects, sixteen at once, and prints the key of each once it is acknowledged, until it is killed. */
  async acknowledge() {
    let next = 0
    const create = async () => {
      for (;;) {
        const key = `acknowledged/${argument}-${next++}`
        await store.create(key, Buffer.alloc(2000, key))
        writeSync(1, `${key}\n`)
      }
    }
    await Promise.all(Array.from({ length: 16 }, create))
  },

  /** Replaces an object, and is killed when it is about to publish. */
  async 'die-publishing'() {
    const disk = { rename: async () => void process.kill(process.pid, 'SIGKILL') }
    const etag = await create(store, argument, 'old')
    await fileStore(root, { random: systemRandom, disk }).replace(argument, Buffer.from('new'), etag)
  },
}

await works[work]!()
