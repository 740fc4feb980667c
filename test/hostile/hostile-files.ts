/** Files made to exhaust whoever reads them, each with the outcome that is expected. */
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'
import { headerOf, tarOf } from '../support/tar-maker.ts'
import { workbookFrom } from '../support/workbook-maker.ts'
import { countedSource, deflatedRepeat, gzipAround, repeatedSource, zipAround } from './repeated.ts'

export interface HostileFile {
  /** `code/reason` of the fault, or `rows: …`. */
  readonly expected: string
  /** The peak of the process, where less than the most is promised. */
  readonly mostMib?: number
  /** Written to disk and read there by one thread, so that what it takes to make it is not measured. */
  readonly onDisk?: true
  make(): ByteSource | Promise<ByteSource>
}

const MIB = 1024 ** 2
const HEADER = 'UTC_Time,Account,Operation,Coin,Change\n'
const ROW = '2026-10-01 00:00:00,Spot,Deposit,USDT,1\n'
const ROWS = ROW.repeat(Math.floor(MIB / ROW.length))
/** Deflated to 1 MiB: a file may inflate to 250 times its size, so a larger bomb only takes longer. */
const GIB = 1024
const X_MIB = Buffer.alloc(MIB, 'x')
const X_LINE = `${'x'.repeat(MIB - 1)}\n`
const bomb = () => deflatedRepeat(HEADER, X_LINE, GIB)
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
      return sourceOf(gzipAround(deflatedRepeat(head, X_LINE, GIB)), 'x.tar.gz')
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
  'zip of names that are 64 KiB long': {
    expected: 'file-unreadable/zip-directory',
    onDisk: true,
    make: () => {
      const name = (index: number) => `${'x'.repeat(65_000)}${index}.csv`
      const names = Array.from({ length: 900 }, (_, index) => [name(index), HEADER + ROW])
      return sourceOf(zipAround(Object.fromEntries(names), 0), 'x.zip')
    },
  },
  'zip of 60,000 entries': {
    expected: 'file-unreadable/too-many-entries',
    make: () => {
      const one = deflatedRepeat(HEADER, ROW, 1)
      const names = Array.from({ length: 60_000 }, (_, index) => [`${index}.csv`, one])
      return sourceOf(zipAround(Object.fromEntries(names), 0), 'x.zip')
    },
  },
  'gzip that inflates just below the limit': {
    expected: 'file-damaged/crc',
    make: () => sourceOf(gzipAround(deflatedRepeat(HEADER, denseText(ROW, 170), 256)), 'x.gz'),
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
    expected: 'rows: read 262144, written 0, quarantined 262144, outside 0',
    make: () => repeatedSource(HEADER, Buffer.from('"\n""\n"'.repeat(2).concat('\n').repeat(4096)), 64),
  },
  'nothing but NUL': {
    expected: 'file-unreadable/binary',
    make: () => repeatedSource('', Buffer.alloc(MIB), 256),
  },
  'rows of NUL': {
    expected: 'rows: read 262158, written 14, quarantined 262144, outside 0',
    make: () => repeatedSource(HEADER + ROW.repeat(14), Buffer.from(`${'\0'.repeat(63)}\n`.repeat(4096)), 64),
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
    make: () =>
      countedSource(
        HEADER,
        1_000_000,
        index => `2026-10-01 00:00:00,Spot,Deposit,${(1e8 + index).toString(36)},1\n`,
      ),
  },
  'a million different days': {
    expected: 'rows: read 1000000, written 28, quarantined 0, outside 999972',
    make: () =>
      countedSource(HEADER, 1_000_000, index => `${dayOf(index % 36_525)} 00:00:00,Spot,Deposit,USDT,1\n`),
  },
  'five million rows in any order': {
    expected: 'rows: read 5000000, written 5000000, quarantined 0, outside 0',
    onDisk: true,
    mostMib: 256,
    make: () => countedSource(HEADER, 5_000_000, index => rowOf(shuffledPlace(index), index % 100_003)),
  },
  'five million rows of one second, most of them repeated': {
    expected: 'rows: read 5000000, written 5000000, quarantined 0, outside 0',
    onDisk: true,
    mostMib: 256,
    make: () => countedSource(HEADER, 5_000_000, index => rowOf(0, shuffledPlace(index) % 1_000_003)),
  },
  'two halves of a day, one after the other': {
    expected: 'rows: read 5000000, written 5000000, quarantined 0, outside 0',
    onDisk: true,
    mostMib: 320,
    make: () => countedSource(HEADER, 5_000_000, index => rowOf(halvedPlace(index), index % 100_003)),
  },
  'workbook of 1 GiB of shared strings': {
    expected: 'file-unreadable/xlsx-strings',
    make: async () => {
      const strings = deflatedRepeat('<sst>', `<si><t>${'x'.repeat(1000)}</t></si>`.repeat(1000), GIB)
      return sourceOf(zipAround(workbookFiles({ 'xl/sharedStrings.xml': strings }), 0xffff_fff0), 'x.xlsx')
    },
  },
  'workbook of four million shared strings': {
    expected: 'file-unreadable/too-dense',
    make: async () => {
      const strings = deflatedRepeat('<sst>', '<si><t/></si>'.repeat(41_000), 100)
      return sourceOf(zipAround(workbookFiles({ 'xl/sharedStrings.xml': strings }), 0xffff_fff0), 'x.xlsx')
    },
  },
  'workbook of a text that a million cells share': {
    expected: 'file-unreadable/too-dense',
    make: async () => {
      const header = `<row>${[1, 2, 3, 4, 5].map(cell).join('')}</row>`
      const rows = `<row>${cell(0).repeat(20)}</row>`.repeat(50_000)
      const names = ['UTC_Time', 'Account', 'Operation', 'Coin', 'Change']
      return sourceOf(await workbookFrom({ S: header + rows }, ['x'.repeat(32_000), ...names]), 'x.xlsx')
    },
  },
  'workbook of deep XML': {
    expected: 'file-unreadable/xlsx-xml',
    make: () => {
      const sheet = deflatedRepeat('', '<x>'.repeat(300_000), 60)
      return sourceOf(zipAround(workbookFiles({ 'xl/s.xml': sheet }), 0xffff_fff0), 'x.xlsx')
    },
  },
  'workbook of one attribute without an end': {
    expected: 'file-unreadable/xlsx-xml',
    make: () => {
      const sheet = deflatedRepeat('<x a="', 'x'.repeat(MIB), 60)
      return sourceOf(zipAround(workbookFiles({ 'xl/s.xml': sheet }), 0xffff_fff0), 'x.xlsx')
    },
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
    make: () => {
      const sheet = deflatedRepeat('<', 'x'.repeat(MIB), 60)
      return sourceOf(zipAround(workbookFiles({ 'xl/s.xml': sheet }), 0xffff_fff0), 'x.xlsx')
    },
  },
}

/** What every workbook has, and these entries beside it. */
function workbookFiles(files: Readonly<Record<string, Buffer>>): Record<string, Buffer | string> {
  return {
    'xl/workbook.xml': '<workbook><sheets><sheet name="S" r:id="r"/></sheets></workbook>',
    'xl/_rels/workbook.xml.rels': '<Relationships><Relationship Id="r" Target="s.xml"/></Relationships>',
    'xl/s.xml': '<x/>',
    ...files,
  }
}

/** A MiB of a text again and again; the more numbers differ, the less it inflates. */
function denseText(text: string, numbers: number): string {
  const varied = Array.from({ length: numbers }, (_, index) =>
    text.replace(/1(\n|<)/, `${Math.imul(index, 0x9e37_79b1) >>> 0}$1`),
  ).join('')
  return varied + text.repeat(Math.floor((MIB - varied.length) / text.length))
}

/** Each place of five million once, far from the place before. */
function shuffledPlace(index: number): number {
  return (index * 1_618_033) % 5_000_000
}

/** The even places, then the odd ones. */
function halvedPlace(index: number): number {
  return index < 2_500_000 ? 2 * index : 2 * index - 4_999_999
}

const DIGITS = Array.from({ length: 60 }, (_, index) => String(index).padStart(2, '0'))

/** A row at one of five million places of a day. */
function rowOf(place: number, content: number): string {
  const second = Math.floor((place * 86_400) / 5_000_000)
  const [hour, minute] = [DIGITS[Math.floor(second / 3600)], DIGITS[Math.floor(second / 60) % 60]]
  const cells = [
    content % 2 === 0 ? 'Spot' : 'Funding',
    'Transfer',
    content % 3 === 0 ? 'BTC' : 'USDT',
    content,
  ]
  return `2026-10-01 ${hour}:${minute}:${DIGITS[second % 60]},${cells.join()}\n`
}

function dayOf(index: number): string {
  return new Date(Date.UTC(2000, 0, 1 + index)).toISOString().slice(0, 10)
}
