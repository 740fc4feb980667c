import { expect, it } from 'vitest'
import { kindOf } from '../../src/formats/file-kind.ts'

const tar = Buffer.alloc(512)
tar.write('statement.csv', 0)
tar.write('ustar', 257)

it.each([
  ['text', 'User_ID,UTC_Time\n'],
  ['text', '\ufeff"User_ID"\n'],
  ['text', 'one NUL \0 in a line of text\n'],
  ['empty', ''],
  ['zip', 'PK\x03\x04'],
  ['zip', 'PK\x05\x06'],
  ['pdf', '%PDF-1.7'],
  ['html', '<!doctype html>'],
  ['html', '\n <html>'],
  ['xml', '<?xml version="1.0"?><Error>'],
  ['xml', '<Error><Code>AccessDenied</Code></Error>'],
  ['json', '{"code":"000000"}'],
  ['json', ' [1]'],
  ['parquet', 'PAR1'],
  ['gzip', Buffer.from([0x1f, 0x8b, 8])],
  ['xls', Buffer.from('d0cf11e0a1b11ae1', 'hex')],
  ['archive', Buffer.from('377abcaf271c', 'hex')],
  ['utf-16', Buffer.from('\ufeffUser_ID', 'utf16le')],
  ['utf-16', Buffer.from('User_ID', 'utf16le')],
  ['tar', tar],
  ['binary', Buffer.alloc(600)],
] as const)('%s', (kind, head) => {
  expect(kindOf(Buffer.from(head as string))).toBe(kind)
})
