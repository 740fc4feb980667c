/** A browser without scripts, for a test: keeps its cookie, reads forms and sends them. */

import type { Role } from '../../src/domain/audit.ts'
import { systemRandom } from '../../src/host.ts'
import { createSessions } from '../../src/server/desk/sessions.ts'
import type { TestDaybook } from './test-daybook.ts'

export const SESSION_KEY = 'planted-session-key-of-32-characters'

export interface DeskClient {
  readonly cookie: string
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** The page's text. Fails unless it was answered. */
  page(path: string): Promise<string>
  post(
    path: string,
    fields: Record<string, string> | FormData,
    headers?: Record<string, string>,
  ): Promise<Response>
  /** The token that stands in every form. */
  csrf(): Promise<string>
}

/** Somebody who is logged in, by a cookie that is signed with the key that the desk was given. */
export function deskClient(test: TestDaybook, role: Role = 'operator', key = SESSION_KEY): DeskClient {
  const sessions = createSessions({
    key,
    clock: test.clock,
    random: systemRandom,
    sessionMs: 3_600_000,
    secure: false,
  })
  const [cookie = ''] = sessions.begin({ name: `${role}@test`, role }).split(';')
  return clientWith(test, cookie)
}

export function clientWith(test: TestDaybook, cookie: string): DeskClient {
  const base = test.server.deskUrl ?? ''
  const get = (path: string, headers = {}) =>
    fetch(`${base}${path}`, { redirect: 'manual', headers: { accept: 'text/html', cookie, ...headers } })
  return {
    cookie,
    get,
    async page(path) {
      const answer = await get(path)
      const text = await answer.text()
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text.slice(-400)}`)
      return text
    },
    post: (path, fields, headers = {}) =>
      fetch(`${base}${path}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, ...headers },
        body: fields instanceof FormData ? fields : new URLSearchParams(fields),
      }),
    async csrf() {
      const [, token = ''] = /name="csrf" value="([^"]+)"/.exec(await (await get('/')).text()) ?? []
      return token
    },
  }
}

let keys = 0

/** A key of an action that no other action of the test has. */
export function newKey(): string {
  return `test-key-${++keys}`
}
