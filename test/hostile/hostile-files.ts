/** Files made to exhaust whoever reads them, each with the outcome that is expected. */
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'
import { headerOf, tarOf } from '../support/tar-maker.ts'
import { workbookFrom } from '../support/workbook-maker.ts'
import { deflatedRepeat, gzipAround, repeatedSource, zipAround } from './repeated.ts'

export interface HostileFile {
  /** `code/reason` of the fault, or `rows: …`. */
  readonly expected: string
  make(): ByteSource | Promise<ByteSource>
}

const MIB = 1024 ** 2
const HEADER = 'UTC_Time,Account,Operation,Coin,Change\n'
const ROW = '2026-10-01 00:00:00,Spot,Deposit,USDT,1\n'
const ROWS = ROW.repeat(Math.floor(MIB / ROW.length))
const GIB16 = 16 * 1024
const X_MIB = Buffer.alloc(MIB, 'x')
const X_LINE = `${'x'.repeat(MIB - 1)}\n`
const bomb = () => deflatedRepeat(HEADER, X_LINE, GIB16)
const cell = (index: number) => `<c t="s"><v>${index}</v></c>`

export const HOSTILE_FILES: Readonly<Record<string, HostileFile>> = {
  'gzip bomb': {
    expected: 'file-unreadable/too-dense',
    make: () => sourceOf(gzipAround(bomb()), 'x.gz'),
  },
  'gzip of a million empty members': {
    expected: 'file-unreadable/empty',
    make: () => repeatedSource('', gzipOf(''), 1_000_000),
  },
  'gzip bomb around a tar of a size that lies': {
    expected: 'file-unreadable/too-dense',
    make: () => {
      const head = headerOf({ name: 'a.csv', size: 2 ** 40 })
      return sourceOf(gzipAround(deflatedRepeat(head, X_LINE, GIB16)), 'x.tar.gz')
    },
  },
  'tar of a size that lies': {
    expected: 'file-damaged/truncated',
    make: () => sourceOf(tarOf([{ name: 'a.csv', content: HEADER, size: 2 ** 50 }]), 'x.tar'),
  },
  'tar of a name that is 1 TiB long': {
    expected: 'file-unreadable/tar-attributes',
    make: () => sourceOf(tarOf([{ name: 'a.csv', type: 'L', content: '', size: 2 ** 40 }]), 'x.tar'),
  },
  'tar of a million entries': {
    expected: 'file-unreadable/too-many-entries',
    make: () => repeatedSource('', headerOf({ name: 'a.csv', size: 0 }), 1_000_000),
  },
  'zip bomb': {
    expected: 'file-unreadable/too-dense',
    make: () => sourceOf(zipAround({ 'a.csv': bomb() }, 0xffff_fff0), 'x.zip'),
  },
  'zip bomb that claims to be small': {
    expected: 'file-damaged/size',
    make: () => sourceOf(zipAround({ 'a.csv': bomb() }, 1000), 'x.zip'),
  },
  'zip of a thousand bombs': {
    expected: 'file-unreadable/too-dense',
    make: () => {
      const small = deflatedRepeat(HEADER, X_LINE, 1024)
      const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}.csv`, small]))
      return sourceOf(zipAround(files, 0xffff_fff0), 'x.zip')
    },
  },
  'zip of entries in the same place': {
    expected: 'file-damaged/overlapping-entries',
    make: () => {
      const names = Array.from({ length: 900 }, (_, index) => [`${index}.csv`, Buffer.alloc(0)])
      const zip = zipAround(
        { 'a.csv': deflatedRepeat(HEADER, X_LINE, 16), ...Object.fromEntries(names) },
        2 ** 24,
      )
      for (let at = zip.indexOf('PK\x01\x02'); at !== -1; at = zip.indexOf('PK\x01\x02', at + 1)) {
        zip.writeUInt32LE(0, at + 42)
      }
      return sourceOf(zip, 'x.zip')
    },
  },
  'zip inside a zip': {
    expected: 'file-unreadable/nested',
    make: async () => {
      const inner = await zipOf({ 'a.csv': zipAround({ 'a.csv': bomb() }, 0xffff_fff0) }, { compress: false })
      return sourceOf(await zipOf({ 'a.csv': inner }), 'x.zip')
    },
  },
  'line of 4 GiB': {
    expected: 'rows: read 2, written 1, quarantined 1, outside 0',
    make: () => repeatedSource(HEADER, X_MIB, 4096, `\n${ROW}`),
  },
  'line of 4 GiB without an end': {
    expected: 'file-damaged/truncated',
    make: () => repeatedSource(HEADER, X_MIB, 4096),
  },
  'header of 4 GiB': {
    expected: 'file-unreadable/line-too-long',
    make: () => repeatedSource('UTC_Time,', X_MIB, 4096),
  },
  'quoted cell of 4 GiB': {
    expected: 'file-damaged/truncated',
    make: () => repeatedSource(`${HEADER}"`, X_MIB, 4096),
  },
  'header of 100,000 columns': {
    expected: 'file-unreadable/too-many-columns',
    make: () => sourceOf(`UTC_Time,Account,Operation,Coin,Change${',x'.repeat(100_000)}\n${ROW}`),
  },
  'rows of 100,000 cells': {
    expected: 'rows: read 640, written 0, quarantined 640, outside 0',
    make: () => repeatedSource(HEADER, Buffer.from(`${'1,'.repeat(100_000)}\n`), 640),
  },
  'nothing but quotes': {
    expected: 'file-unreadable/line-too-long',
    make: () => repeatedSource('', Buffer.alloc(MIB, '"'), 256),
  },
  'nothing but quotes and line ends': {
    expected: 'rows: read 1048576, written 0, quarantined 1048576, outside 0',
    make: () => repeatedSource(HEADER, Buffer.from('"\n""\n"'.repeat(2).concat('\n').repeat(4096)), 64),
  },
  'nothing but NUL': {
    expected: 'file-unreadable/binary',
    make: () => repeatedSource('', Buffer.alloc(MIB), 256),
  },
  'rows of NUL': {
    expected: 'rows: read 262144, written 0, quarantined 262144, outside 0',
    make: () => repeatedSource(HEADER, Buffer.from(`${'\0'.repeat(63)}\n`.repeat(4096)), 64),
  },
  'rows that are not UTF-8': {
    expected: 'rows: read 262144, written 0, quarantined 262144, outside 0',
    make: () => repeatedSource(HEADER, Buffer.from(`${'\xff'.repeat(63)}\n`.repeat(4096), 'latin1'), 64),
  },
  'UTF-16': {
    expected: 'file-unreadable/utf-16',
    make: () => repeatedSource('', Buffer.from(`\ufeff${HEADER}${ROWS}`, 'utf16le'), 64),
  },
  'a million different assets': {
    expected: 'file-unreadable/too-many-names',
    make: () => {
      const row = (index: number) => `2026-10-01 00:00:00,Spot,Deposit,X${index},1\n`
      return sourceOf(HEADER + Array.from({ length: 1_000_000 }, (_, index) => row(index)).join(''))
    },
  },
  'workbook of 16 GiB of shared strings': {
    expected: 'file-unreadable/too-dense',
    make: async () => {
      const strings = deflatedRepeat('<sst>', `<si><t>${'x'.repeat(1000)}</t></si>`.repeat(1000), GIB16)
      return sourceOf(
        zipAround(await workbookFiles({ 'xl/sharedStrings.xml': strings }), 0xffff_fff0),
        'x.xlsx',
      )
    },
  },
  'workbook of ten million shared strings': {
    expected: 'file-unreadable/xlsx-strings',
    make: async () => {
      const strings = `<sst>${Array.from({ length: 4_100_000 }, (_, index) => `<si><t>${index}</t></si>`).join('')}`
      return sourceOf(await workbookFrom({ S: '' }, [], { 'xl/sharedStrings.xml': strings }), 'x.xlsx')
    },
  },
  'workbook of a text that a million cells share': {
    expected: 'file-unreadable/too-dense',
    make: async () => {
      const rows = `<row>${cell(0).repeat(20)}</row>`.repeat(50_000)
      return sourceOf(await workbookFrom({ S: rows }, ['x'.repeat(32_000)]), 'x.xlsx')
    },
  },
  'workbook of deep XML': {
    expected: 'file-unreadable/xlsx-xml',
    make: async () => sourceOf(await workbookFrom({ S: '<x>'.repeat(5_000_000) }), 'x.xlsx'),
  },
  'workbook of a billion laughs': {
    expected: 'file-unreadable/xlsx-xml',
    make: async () => {
      const entities = Array.from(
        { length: 9 },
        (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
      )
      const xml = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">${entities.join('')}]><sst><si><t>&l9;</t></si></sst>`
      return sourceOf(await workbookFrom({ S: '' }, [], { 'xl/sharedStrings.xml': xml }), 'x.xlsx')
    },
  },
  'workbook of one name without an end': {
    expected: 'file-unreadable/xlsx-xml',
    make: async () => sourceOf(await workbookFrom({ S: `<${'x'.repeat(50_000_000)}` }), 'x.xlsx'),
  },
}

/** What every workbook has, deflated, and these entries beside it. */
async function workbookFiles(files: Readonly<Record<string, Buffer>>): Promise<Record<string, Buffer>> {
  const workbook = '<workbook><sheets><sheet name="S" r:id="r"/></sheets></workbook>'
  const relations = '<Relationships><Relationship Id="r" Target="s.xml"/></Relationships>'
  const small = { 'xl/workbook.xml': workbook, 'xl/_rels/workbook.xml.rels': relations, 'xl/s.xml': '<x/>' }
  const entries = Object.entries(small).map(([name, xml]) => [name, deflatedRepeat(xml, '', 0)] as const)
  return { ...Object.fromEntries(entries), ...files }
}
