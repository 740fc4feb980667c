/**
 * `npm run bench:cloud`: reports a minute with one, two and four processes of each function, on a real Ceph, and
 * what a sweep costs by the number of finished reports.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleHandler, type Stage } from '../../handlers/bundle.ts'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import { startCeph } from '../support/ceph/ceph.ts'
import { type CloudWorld, startCloud } from '../support/lambda/cloud-world.ts'
import { costOfSweep } from '../support/sweep-cost.ts'

const ACCOUNTS = 40
const USED: readonly Stage[] = ['submit', 'receive', 'archive', 'parse', 'sweep', 'snapshot', 'reconcile']
const day = addDays(dayOf(new Date()), -10)

async function reportsAMinute(
  place: Parameters<typeof startCloud>[0]['ceph'],
  bundles: string,
  most: number,
) {
  const each = { submit: most, receive: most, archive: most, parse: most }
  const world = await startCloud({ ceph: place, bundles, accounts: ACCOUNTS, most: each, twicePercent: 0 })
  try {
    // Cold starts are measured elsewhere.
    await ask(world, world.accounts.slice(0, 2 * most), day, most)
    await parsed(world, 2 * most)
    const requests = world.requests()
    const startedAt = performance.now()
    await ask(world, world.accounts, addDays(day, -3), most)
    await parsed(world, 2 * most + ACCOUNTS)
    const minutes = (performance.now() - startedAt) / 60_000
    return { perMinute: ACCOUNTS / minutes, requests: (world.requests() - requests) / ACCOUNTS }
  } finally {
    await world.stop()
  }
}

async function ask(
  world: CloudWorld,
  accounts: readonly string[],
  from: string,
  most: number,
): Promise<void> {
  const waiting = [...accounts]
  const run = async () => {
    for (let account = waiting.shift(); account !== undefined; account = waiting.shift())
      await world.functions.submit.invoke({ account, from, to: from })
  }
  await Promise.all(Array.from({ length: most }, run))
}

async function parsed(world: CloudWorld, count: number): Promise<void> {
  const isManifest = (key: string) => key.endsWith('/manifest.json')
  while ([...world.writes.keys()].filter(isManifest).length < count)
    await new Promise(resolve => setTimeout(resolve, 20))
}

const bundles = await mkdtemp(join(tmpdir(), 'daybook-bench-'))
for (const stage of USED) await bundleHandler(stage, bundles)
const ceph = await startCeph()
try {
  process.stdout.write(
    '| processes of each function | reports a minute | requests a report |\n|---|---|---|\n',
  )
  for (const most of [1, 2, 4]) {
    const { perMinute, requests } = await reportsAMinute(ceph.place, bundles, most)
    process.stdout.write(`| ${most} | ${perMinute.toFixed(0)} | ${requests.toFixed(0)} |\n`)
  }
  process.stdout.write(
    `On ${availableParallelism()} cores, which Ceph, the sandbox and the proxies share; ${ACCOUNTS} reports each.\n\n`,
  )
} finally {
  await ceph.stop()
  await rm(bundles, { recursive: true, force: true })
}
process.stdout.write('| finished reports | requests of a sweep with three open |\n|---|---|\n')
for (const finished of [1_000, 100_000])
  process.stdout.write(`| ${finished.toLocaleString('en')} | ${await costOfSweep(finished)} |\n`)
