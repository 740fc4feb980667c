/** The tables of the fast path are bounded, whatever a file does. */
import { expect, it } from 'vitest'
import { WALLET } from '../../src/formats/line-roles.ts'
import { roleTexts } from '../../src/formats/role-texts.ts'
import { newBatch } from '../../src/formats/row-batch.ts'

it('does not go on when one wallet was spelled in too many ways', () => {
  const batch = newBatch(1)
  const texts = roleTexts(batch)
  for (let spaces = 1; spaces < 2000; spaces++) {
    const name = texts.tables[WALLET]!.codeOfText(`Spot${' '.repeat(spaces)}Lead`)
    expect(batch.tables.wallet.textOf(texts.finalCode(WALLET, name))).toBe('Spot Lead')
    if (spaces === 1000) expect(texts.areGoodFor(batch)).toBe(true)
  }
  expect(batch.tables.wallet.count()).toBe(2)
  expect(texts.areGoodFor(batch)).toBe(false)
})
