/** The part of Thrift's compact protocol that Parquet's headers need, written only. */

/** A value by its type; a struct is its fields by id, in ascending order. */
export type Thrift =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly flag: boolean }
  | { readonly binary: Uint8Array }
  | { readonly list: readonly Thrift[] }
  | { readonly struct: ReadonlyArray<readonly [id: number, value: Thrift | undefined]> }

export const i32 = (value: number): Thrift => ({ i32: value })
export const i64 = (value: number): Thrift => ({ i64: value })
export const flag = (value: boolean): Thrift => ({ flag: value })
export const binary = (value: Uint8Array): Thrift => ({ binary: value })
export const text = (value: string): Thrift => ({ binary: Buffer.from(value) })
export const list = (values: readonly Thrift[]): Thrift => ({ list: values })
export const struct = (
  ...fields: ReadonlyArray<readonly [id: number, value: Thrift | undefined]>
): Thrift => ({
  struct: fields,
})

const STOP = 0
const TYPES = { flag: 1, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

export function encodeThrift(value: Thrift): Uint8Array {
  const bytes: number[] = []
  const pieces: Uint8Array[] = []

  function write(value: Thrift): void {
    if ('i32' in value) writeVarint(bytes, zigzag(value.i32))
    else if ('i64' in value) writeVarint(bytes, zigzag(value.i64))
    else if ('binary' in value) writeBinary(value.binary)
    else if ('list' in value) writeList(value.list)
    else if ('struct' in value) writeStruct(value.struct)
    else throw new TypeError('A flag stands in the header of its field.')
  }

  function writeBinary(binary: Uint8Array): void {
    writeVarint(bytes, binary.length)
    pieces.push(Uint8Array.from(bytes), binary)
    bytes.length = 0
  }

  function writeList(values: readonly Thrift[]): void {
    const type = values[0] === undefined ? TYPES.struct : typeOf(values[0])
    if (values.length < 15) bytes.push((values.length << 4) | type)
    else {
      bytes.push(0xf0 | type)
      writeVarint(bytes, values.length)
    }
    values.forEach(write)
  }

  function writeStruct(fields: ReadonlyArray<readonly [number, Thrift | undefined]>): void {
    let last = 0
    for (const [id, value] of fields) {
      if (value === undefined) continue
      bytes.push(((id - last) << 4) | typeOf(value))
      last = id
      if (!('flag' in value)) write(value)
    }
    bytes.push(STOP)
  }

  write(value)
  return Buffer.concat([...pieces, Uint8Array.from(bytes)])
}

/** A flag's value is part of its type. */
function typeOf(value: Thrift): number {
  if ('flag' in value) return value.flag ? TYPES.flag : TYPES.flag + 1
  const [kind] = Object.keys(value) as [keyof typeof TYPES]
  return TYPES[kind]
}

/** No value here is negative. */
function zigzag(value: number): number {
  return value * 2
}

/** An unsigned number, seven bits a byte, the lowest first. */
export function writeVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}
