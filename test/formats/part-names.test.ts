import { expect, it } from 'vitest'
import { compareNames, missingParts, partOf } from '../../src/formats/part-names.ts'

it('orders numbers as numbers', () => {
  const names = ['x-part10-of11.csv', 'x-part9-of11.csv', 'a-2.csv', 'a-10.csv', 'x-part1-of11.csv']
  expect(names.sort(compareNames)).toEqual([
    'a-2.csv',
    'a-10.csv',
    'x-part1-of11.csv',
    'x-part9-of11.csv',
    'x-part10-of11.csv',
  ])
})

it('reads N of M', () => {
  expect(partOf('Binance-Transaction-History-202604201017(UTC+9)-part2-of13.csv')).toEqual({
    number: 2,
    total: 13,
  })
  expect(partOf('part-00000-5b8f-c000.csv')).toBeUndefined()
})

it('finds the parts that are missing', () => {
  expect(missingParts(['x-part1-of3.csv', 'x-part3-of3.csv', 'y-part1-of1.csv', 'z.csv'])).toEqual(['2 of 3'])
  expect(missingParts(['x-part2-of2.csv', 'x-part1-of2.csv'])).toEqual([])
})
