/** A tar made by hand, so that a test can make it lie. */

export interface MadeEntry {
  readonly name: string
  readonly content: string | Uint8Array
  /** What the header says instead of the content's size. */
  readonly size?: number
  readonly type?: string
}

/** The entries in this order, and the two blocks of zeros that end a tar. */
export function tarOf(entries: readonly MadeEntry[], { ended = true, magic = 'ustar\x0000' } = {}): Buffer {
  const blocks = entries.flatMap(entry => {
    const content = Buffer.from(entry.content as string)
    return [headerOf({ ...entry, size: entry.size ?? content.length }, magic), padded(content)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(ended ? 1024 : 0)])
}

/** An entry of pax attributes for the file after it. */
export function paxOf(attributes: Readonly<Record<string, string>>): MadeEntry {
  const lines = Object.entries(attributes).map(([key, value]) => {
    const body = ` ${key}=${value}\n`
    const bytes = Buffer.byteLength(body)
    const length = bytes + String(bytes + String(bytes).length).length
    return `${length}${body}`
  })
  return { name: 'PaxHeader', type: 'x', content: lines.join('') }
}

/** GNU's entry of a long name for the file after it. */
export function longNameOf(name: string): MadeEntry {
  return { name: '././@LongLink', type: 'L', content: `${name}\0` }
}

export function headerOf(
  entry: { name: string; size: number; type?: string },
  magic = 'ustar\x0000',
): Buffer {
  const block = Buffer.alloc(512)
  block.write(entry.name, 0, 100)
  block.write('0000644\x000000000\x000000000\0', 100)
  writeSize(block, entry.size)
  block.write('00000000000\0', 136)
  block.write(entry.type ?? '0', 156)
  block.write(magic, 257, 'latin1')
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function writeSize(block: Buffer, size: number): void {
  if (size < 8 ** 11) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  else {
    block.writeBigUInt64BE(BigInt(size), 128)
    block[124] = 0x80
  }
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
