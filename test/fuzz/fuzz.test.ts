import { expect, it } from 'vitest'
import { checkInput } from './check-input.ts'
import { madeInput } from './made-input.ts'

it('a few damaged files: no crash, no row lost; npm run fuzz reads many more', async () => {
  const outcomes = new Set<string>()
  for (let seed = 1; seed <= 100; seed++)
    outcomes.add((await checkInput(await madeInput(seed))).split(' ')[0]!)
  expect([...outcomes].sort()).toEqual(['file-damaged', 'file-unreadable', 'rows'])
})
