/** The servers that take callbacks, and what each does before it answers. */
export const SERVER_KINDS = {
  daybook: 'Daybook: verify, parse, create once with its name, log',
  'express create': 'Express by hand: verify, file + fsync, link, fsync of the folder',
  'node create': 'node:http by hand: the same',
  'express rename': 'Express by hand: verify, file + fsync, rename; the name may be lost',
  'node rename': 'node:http by hand: the same',
  'express verify': 'Express by hand: verify, keep nothing',
  'node verify': 'node:http by hand: verify, keep nothing',
  'node nothing': 'node:http by hand: neither verify nor keep',
} as const

export type ServerKind = keyof typeof SERVER_KINDS
