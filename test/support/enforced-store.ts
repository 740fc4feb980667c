/** A store that asks a policy before every request, as S3 would. */
import type { ObjectStore } from '../../src/stores/object-store.ts'

export interface StoreCall {
  readonly action: string
  /** Empty for the bucket itself. */
  readonly key: string
  readonly context?: Readonly<Record<string, string>>
  /** What is paid for; absent where the permission is asked for besides. */
  readonly request?: 'write' | 'read' | 'list'
}

/** `guard` throws what it does not allow. */
export function enforcedStore(store: ObjectStore, guard: (call: StoreCall) => void): ObjectStore {
  const list = () => guard({ action: 's3:ListBucket', key: '' })
  const mayRead = (key: string) => {
    guard({ action: 's3:GetObject', key })
    // Where S3 may not list, it does not say that an object is missing.
    list()
  }
  const see = (key: string) => {
    guard({ action: 's3:GetObject', key, request: 'read' })
    list()
  }
  /** Its parts first, then the object, then a look at what stands when the answer is lost. */
  const write = (key: string, condition: Record<string, string>) => {
    guard({ action: 's3:PutObject', key, context: { 's3:ObjectCreationOperation': 'false' } })
    const context = { 's3:ObjectCreationOperation': 'true', ...condition }
    guard({ action: 's3:PutObject', key, context, request: 'write' })
    guard({ action: 's3:AbortMultipartUpload', key })
    mayRead(key)
  }
  return {
    address: store.address,
    async get(key) {
      see(key)
      return store.get(key)
    },
    async head(key) {
      see(key)
      return store.head(key)
    },
    async create(key, body) {
      write(key, { 's3:if-none-match': '*' })
      return store.create(key, body)
    },
    async replace(key, body, etag) {
      write(key, { 's3:if-match': etag })
      return store.replace(key, body, etag)
    },
    async *list(prefix) {
      guard({ action: 's3:ListBucket', key: '', request: 'list' })
      yield* store.list(prefix)
    },
    async *read(key, range) {
      see(key)
      yield* store.read(key, range)
    },
  }
}
