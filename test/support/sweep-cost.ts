/** What a sweep costs where so many reports are finished: requests to the store, a listing one a thousand keys. */
import { reportKeys } from '../../src/domain/keys.ts'
import { sweep } from '../../src/sweep.ts'
import { REF, reportWorld, requestsSince } from './report-world.ts'

const MINUTE = 60_000
const DAY = 86_400_000

/** Of a store where most reports were finished long ago, and three are open. */
export async function costOfSweep(finished: number): Promise<number> {
  const world = reportWorld()
  const { context, account, objects, clock } = world
  for (let number = 0; number < finished; number++) {
    const { folder } = reportKeys(REF, `8${number.toString().padStart(9, '0')}`)
    for (const part of ['accepted', 'callback', 'archive', 'manifest'])
      objects.byKey.set(`${folder}${part}.json`, { bytes: Buffer.from('{}'), etag: `"${part}"` })
  }
  // What history teaches is read from the newest reports, which are whole.
  for (let number = 0; number < 20; number++) {
    await world.accept(`9${number.toString().padStart(9, '0')}`)
    await world.call(`9${number.toString().padStart(9, '0')}`)
  }
  await sweep(context, [account])
  world.answer = () => ({ status: 'processing' })
  for (const reportId of ['91', '92', '93']) await world.accept(reportId)
  await clock.advance(10 * MINUTE)
  await sweep(context, [account])
  await clock.advance(2 * DAY)
  await sweep(context, [account])
  requestsSince(world)
  await clock.advance(1000)
  const { open } = await sweep(context, [account])
  if (open !== 3) throw new Error(`3 reports should be open, not ${open}`)
  return requestsSince(world)
}
