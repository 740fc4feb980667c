import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/host.ts'
import type { Disk } from '../../src/stores/file-disk.ts'
import { fileStore } from '../../src/stores/file-store.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { describeObjectStore } from '../contracts/object-store.ts'
import { asText, bigStream, collect, create, keysOf, text, textOf } from '../support/objects.ts'
import { powerCutDisk } from '../support/power-cut-disk.ts'

const CHILD = join(import.meta.dirname, '../support/file-store-child.ts')
const roots: string[] = []

async function newRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'daybook-store-'))
  roots.push(root)
  return root
}

function storeAt(root: string, disk: Partial<Disk> = {}): ObjectStore {
  return fileStore(root, { random: systemRandom, disk })
}

function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: planned`), { code, syscall: 'planned' })
}

afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true })
})

describeObjectStore('A folder', { conflicts: false, presigns: false }, async () => {
  const root = await newRoot()
  let lose = false
  const forgetfulLink: typeof link = async (from, to) => {
    await link(from, to)
    if (!lose || !String(from).includes('/.tmp/')) return
    lose = false
    throw diskError('EEXIST')
  }
  return {
    store: storeAt(root, { link: forgetfulLink }),
    other: storeAt(root),
    loseNextAnswer: () => {
      lose = true
    },
    conflictNextWrites: () => {},
    stop: async () => {},
  }
})

describe('a folder that cannot be one', () => {
  it('is refused, and no retry is promised, where a file stands at it or above it', async () => {
    const file = join(await newRoot(), 'file')
    await writeFile(file, 'not a store')
    for (const root of [file, join(file, 'store')]) {
      const writing = storeAt(root).create('a/b', Buffer.from('x'))
      await expect(writing).rejects.toMatchObject({
        code: 'store-refused',
        message: expect.stringContaining('a file'),
      })
    }
  })
})

describe('a folder between processes', () => {
  let root: string
  beforeEach(async () => {
    root = await newRoot()
  })

  it('has one winner for every object that three processes create', async () => {
    const outputs = await Promise.all([1, 2, 3].map(() => runChild(root, 'race', 60)))
    const winners = outputs.flatMap(output => output.split('\n').filter(line => line !== ''))
    expect(winners.sort()).toEqual(Array.from({ length: 60 }, (_, index) => `race/${index}`).sort())
  })

  it('loses none of the increments of three processes', async () => {
    await create(storeAt(root), 'count', '0')
    await Promise.all([1, 2, 3].map(() => runChild(root, 'increment', 20)))
    expect(await textOf(storeAt(root), 'count')).toBe('60')
    expect(await readFile(join(root, 'count'), 'utf8')).toBe('60')
  })

  it('shows only whole objects when its writers are killed', async () => {
    for (const round of [1, 2, 3]) {
      const children = ['a', 'b'].map(name => startChild(root, 'churn', `${name}${round}`))
      await Promise.all(children.map(child => once(child.stdout!, 'data')))
      await new Promise(resolve => setTimeout(resolve, 60 + 45 * round))
      await Promise.all(children.map(kill))
      const store = storeAt(root)
      const keys = await keysOf(store, 'churn/')
      expect(keys.length).toBeGreaterThan(2)
      for (const key of keys) await expectWhole(store, root, key)
    }
    await create(storeAt(root), 'another', 'write')
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  }, 20_000)

  it('has every object that a killed writer acknowledged, whole', async () => {
    for (const round of [1, 2, 3]) {
      const child = startChild(root, 'acknowledge', `${round}`)
      let printed = ''
      child.stdout!.on('data', chunk => {
        printed += chunk
      })
      await once(child.stdout!, 'data')
      await new Promise(resolve => setTimeout(resolve, 50 * round))
      const closed = once(child, 'close')
      await kill(child)
      await closed
      const acknowledged = printed.split('\n').slice(0, -1)
      expect(acknowledged.length).toBeGreaterThan(0)
      const store = storeAt(root)
      for (const key of acknowledged)
        expect(await textOf(store, key)).toBe(Buffer.alloc(2000, key).toString())
    }
  }, 20_000)

  it('shows the new object once its publisher was killed in between', async () => {
    await expect(runChild(root, 'die-publishing', 'days/one')).rejects.toMatchObject({ signal: 'SIGKILL' })
    const visible = () => readFile(join(root, 'days/one'), 'utf8')
    expect(await visible()).toBe('old')
    expect(await textOf(storeAt(root), 'days/one')).toBe('new')
    expect(await visible()).toBe('new')
  })
})

describe('a folder and a power cut', () => {
  it('loses nothing that was acknowledged, however many writers share a flush', async () => {
    const root = await newRoot()
    let chance = 7
    const fewMs = () => {
      chance = (chance * 48_271) % 2_147_483_647
      return chance % 6
    }
    const { disk, survives, flushes } = powerCutDisk(fewMs)
    const store = storeAt(root, disk)
    await create(store, 'calls/first', 'x')
    const before = flushes(join(root, 'calls'))
    let next = 0
    const writer = async () => {
      for (let number = next++; number < 200; number = next++) {
        const key = `calls/${number % 150}`
        await store.create(key, text(`${number}`))
        // Also of an object that another has created a moment ago, which the caller relies on now.
        expect(survives(join(root, key))).toBe(true)
      }
    }
    await Promise.all(Array.from({ length: 16 }, writer))
    expect(flushes(join(root, 'calls')) - before).toBeLessThan(100)
  })

  it('flushes a folder once for all who wait, and again for who came too late', async () => {
    const root = await newRoot()
    const flushes: PromiseWithResolvers<void>[] = []
    let held = false
    const store = storeAt(root, {
      open: async (path, flags) => {
        const handle = await open(path, flags)
        if (!held || !String(path).endsWith('/calls')) return handle
        const flush = Promise.withResolvers<void>()
        flushes.push(flush)
        handle.sync = () => flush.promise
        return handle
      },
    })
    await create(store, 'calls/0', 'x')
    held = true
    const answered: string[] = []
    const creating = (name: string) =>
      store.create(`calls/${name}`, text(name)).then(() => void answered.push(name))
    const until = async (there: () => boolean | Promise<boolean>) => {
      while (!(await there())) await new Promise(resolve => setTimeout(resolve, 5))
    }
    const first = creating('first')
    await until(() => flushes.length === 1)
    const others = ['a', 'b', 'c', 'd'].map(creating)
    await until(async () => (await readdir(join(root, 'calls'))).length === 6)
    flushes[0]!.resolve()
    await first
    await until(() => flushes.length === 2)
    expect(answered).toEqual(['first'])
    flushes[1]!.resolve()
    await Promise.all(others)
    expect(flushes).toHaveLength(2)
  })

  it('acknowledges nothing when the flush fails, to none of those who share it', async () => {
    const root = await newRoot()
    let failing = false
    const store = storeAt(root, {
      open: async (path, flags) => {
        const handle = await open(path, flags)
        if (failing && String(path).endsWith('/calls')) handle.sync = () => Promise.reject(diskError('EIO'))
        return handle
      },
    })
    await create(store, 'calls/0', 'x')
    failing = true
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c'].map(name => store.create(`calls/${name}`, text(name))),
    )
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store-unavailable' } })
    failing = false
    expect(await store.create('calls/a', text('again'))).toEqual({ outcome: 'exists' })
  })
})

describe('a folder', () => {
  let root: string
  let store: ObjectStore
  beforeEach(async () => {
    root = await newRoot()
    store = storeAt(root)
  })

  it('shows what others read as files old or new, never half or missing', async () => {
    let etag = await create(store, 'day', 'a'.repeat(100_000))
    let done = false
    const reading = (async () => {
      while (!done) expect(new Set(await readFile(join(root, 'day'), 'utf8')).size).toBe(1)
    })()
    for (const letter of 'bcdefghijklmnop') {
      const replaced = await store.replace('day', text(letter.repeat(100_000)), etag)
      if (replaced.outcome === 'replaced') etag = replaced.etag
    }
    done = true
    await reading
    expect(await readFile(join(root, 'day'), 'utf8')).toBe('p'.repeat(100_000))
  })

  it('ends at the newest object even when an older one is published late', async () => {
    const first = await create(store, 'day', 'one')
    const reached = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const late: typeof rename = async (from, to) => {
      reached.resolve()
      await release.promise
      await rename(from, to)
    }
    const second = storeAt(root, { rename: late }).replace('day', text('two'), first)
    await reached.promise
    const etag = (await store.head('day'))!.etag
    expect(await store.replace('day', text('three'), etag)).toMatchObject({ outcome: 'replaced' })
    release.resolve()
    expect(await second).toMatchObject({ outcome: 'replaced' })
    expect(await readFile(join(root, 'day'), 'utf8')).toBe('three')
    expect(await textOf(store, 'day')).toBe('three')
  })

  it('has flushed the file before it has its name, and the name before it answers', async () => {
    const events: string[] = []
    const logged: Disk = {
      open: async (path, flags) => {
        const handle = await open(path, flags)
        const sync = handle.sync.bind(handle)
        handle.sync = async () => {
          events.push(`flush ${nameOf(path)}`)
          await sync()
        }
        return handle
      },
      link: async (from, to) => {
        events.push(`link ${nameOf(to)}`)
        await link(from, to)
      },
      rename: async (from, to) => {
        events.push(`rename ${nameOf(to)}`)
        await rename(from, to)
      },
    }
    const nameOf = (path: unknown) =>
      String(path)
        .replace(root, '')
        .replace(/\/\.tmp\/.*/, '/.tmp/*')
    const watched = storeAt(root, logged)
    const etag = await create(watched, 'a/b', 'x')
    // The flush of '' makes the new folders .tmp and a last.
    expect(events.splice(0)).toEqual(['flush ', 'flush /.tmp/*', 'flush ', 'link /a/b', 'flush /a'])
    await watched.create('a/b', text('y'))
    expect(events.splice(0)).toEqual(['flush /.tmp/*', 'link /a/b', 'flush /a'])
    await watched.replace('a/b', text('z'), etag)
    const link2 = ['link /.versions/a/b/1', 'link /.versions/a/b/2', 'flush /.versions/a/b']
    const folders = ['flush ', 'flush /.versions', 'flush /.versions/a']
    const published = ['link /.tmp/*', 'rename /a/b', 'flush /a']
    expect(events).toEqual(['flush /.tmp/*', ...folders, ...link2, ...published])
  })

  it('reads the newer object when it was replaced between finding and opening it', async () => {
    const first = await create(store, 'day', 'one')
    let replaced = false
    const tardy: typeof open = async (path, flags) => {
      if (!replaced) await store.replace('day', text('two'), first)
      replaced = true
      return open(path, flags)
    }
    const object = await storeAt(root, { open: tardy }).get('day')
    expect(asText(object)).toBe('two')
    expect(object?.etag).toBe((await store.head('day'))?.etag)
  })

  it('keeps every generation', async () => {
    const first = await create(store, 'day', 'one')
    await store.replace('day', text('two'), first)
    const versions = join(root, '.versions/day')
    const contents = await Promise.all(['1', '2'].map(number => readFile(join(versions, number), 'utf8')))
    expect(contents).toEqual(['one', 'two'])
  })

  it('brings back a replaced object whose file was deleted by hand', async () => {
    const first = await create(store, 'day', 'one')
    await store.replace('day', text('two'), first)
    await rm(join(root, 'day'))
    expect(await store.create('day', text('three'))).toEqual({ outcome: 'exists' })
    expect(await textOf(store, 'day')).toBe('two')
    expect(await readFile(join(root, 'day'), 'utf8')).toBe('two')
  })

  it('serves those who may only read', async () => {
    const first = await create(store, 'day', 'one')
    const dying = storeAt(root, { rename: () => Promise.reject(diskError('EIO')) })
    await expect(dying.replace('day', text('two'), first)).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    const readOnly = storeAt(root, { link: () => Promise.reject(diskError('EROFS')) })
    expect(await textOf(readOnly, 'day')).toBe('two')
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  it.each([
    ['ENOSPC', 'store-unavailable'],
    ['EIO', 'store-unavailable'],
    ['EACCES', 'store-refused'],
  ])('says so when the disk answers %s, and leaves no litter', async (error, code) => {
    const failing: typeof open = async (path, flags) => {
      const handle = await open(path, flags)
      handle.writeFile = () => Promise.reject(diskError(error))
      return handle
    }
    const failure = { code, message: expect.not.stringContaining(root) }
    const full = storeAt(root, { open: failing })
    await expect(full.create('a/b', text('x'))).rejects.toMatchObject(failure)
    await expect(full.create('a/b', bigStream(200_000))).rejects.toMatchObject(failure)
    const unlinked = storeAt(root, { link: () => Promise.reject(diskError(error)) })
    await expect(unlinked.create('a/b', text('x'))).rejects.toMatchObject(failure)
    expect(await readdir(join(root, '.tmp'))).toEqual([])
    expect(await store.create('a/b', text('x'))).toMatchObject({ outcome: 'created' })
  })

  it('removes what the dead of this host left, and nothing else', async () => {
    const dead = spawn(process.execPath, ['--version'])
    await once(dead, 'exit')
    await mkdir(join(root, '.tmp'))
    const alive = [`${hostname()}:${process.pid}:aa`, `elsewhere:${dead.pid}:bb`, 'unknown']
    for (const name of [...alive, `${hostname()}:${dead.pid}:cc`])
      await writeFile(join(root, '.tmp', name), '')
    await create(store, 'a', 'x')
    expect((await readdir(join(root, '.tmp'))).sort()).toEqual(alive.sort())
  })

  it('refuses to follow symbolic links', async () => {
    const outside = await newRoot()
    await writeFile(join(outside, 'secret'), 'secret')
    await symlink(outside, join(root, 'folder'))
    await symlink(join(outside, 'secret'), join(root, 'file'))
    const refused = { code: 'store-refused', message: expect.stringContaining('symbolic link') }
    for (const key of ['folder/secret', 'file']) {
      await expect(store.get(key)).rejects.toMatchObject(refused)
      await expect(store.head(key)).rejects.toMatchObject(refused)
      await expect(collect(store.read(key))).rejects.toMatchObject(refused)
      await expect(store.create(key, text('x'))).rejects.toMatchObject(refused)
      await expect(store.replace(key, text('x'), '"1"')).rejects.toMatchObject(refused)
    }
    await expect(store.create('folder/new/one', text('x'))).rejects.toMatchObject(refused)
    await expect(keysOf(store, 'folder/')).rejects.toMatchObject(refused)
    expect(await keysOf(store, '')).toEqual([])
    expect(await readdir(outside)).toEqual(['secret'])
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret')
  })

  it('refuses to make an object a folder, or a folder an object', async () => {
    const etag = await create(store, 'a/b', 'x')
    await store.replace('a/b', text('y'), etag)
    await expect(store.create('a/b/1', text('x'))).rejects.toMatchObject({ code: 'store-refused' })
    await expect(store.create('a', text('x'))).rejects.toMatchObject({ code: 'store-refused' })
    expect(await store.get('a/b/1')).toBeUndefined()
    expect(await store.get('a')).toBeUndefined()
    expect(await store.replace('a', text('x'), '"1"')).toEqual({ outcome: 'stale' })
    expect(await keysOf(store, '')).toEqual(['a/b'])
  })

  it('lists no files that are no objects', async () => {
    await create(store, 'a', 'x')
    await writeFile(join(root, '.DS_Store'), '')
    await writeFile(join(root, 'a note.txt'), '')
    expect(await keysOf(store, '')).toEqual(['a'])
  })

  it('is empty before it was written to, and may be reached through a link itself', async () => {
    const real = join(root, 'made/later')
    await symlink(real, join(root, 'link'))
    expect(await keysOf(storeAt(real), '')).toEqual([])
    await create(storeAt(join(root, 'link')), 'a/b', 'x')
    expect(await textOf(storeAt(real), 'a/b')).toBe('x')
  })
})

async function expectWhole(store: ObjectStore, root: string, key: string): Promise<void> {
  const { bytes } = (await store.get(key))!
  const whole = Buffer.alloc(200_000, bytes[0])
  expect(whole.equals(bytes)).toBe(true)
  expect(whole.equals(await readFile(join(root, key)))).toBe(true)
}

async function runChild(root: string, work: string, argument: string | number): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, root, work, String(argument)])
  return stdout
}

function startChild(root: string, work: string, argument: string): ChildProcess {
  return spawn(process.execPath, [CHILD, root, work, argument], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

it('reports a file that cannot be closed as a fault of the store', async () => {
  const root = await newRoot()
  await create(storeAt(root), 'one', 'text')
  const unclosable = (async (...args: Parameters<typeof open>) => {
    const handle = await open(...args)
    const close = handle.close.bind(handle)
    handle.close = async () => {
      await close()
      throw diskError('EIO')
    }
    return handle
  }) as typeof open
  const store = storeAt(root, { open: unclosable })
  await expect(store.get('one')).rejects.toMatchObject({ code: 'store-unavailable' })
  await expect(collect(store.read('one'))).rejects.toMatchObject({ code: 'store-unavailable' })
})
