/** Advice about unfinished work, over any store: small records that are replaced, and may be lost. */

import type { z } from 'zod'
import { type Agenda, agendaRecord } from '../domain/agenda.ts'
import { type Attempt, attemptRecord } from '../domain/attempt.ts'
import { isFault } from '../domain/errors.ts'
import { type AccountRef, agendaKey, attemptKey, JOBS_PREFIX, jobKey } from '../domain/keys.ts'
import { type JobRun, jobRun } from '../domain/schedule.ts'
import type { ObjectStore } from './object-store.ts'
import { readRecord, writeRecord } from './record.ts'

/** A record as it was read, with the tag that its replacement must name; no tag: there was none. */
export interface Advice<T> {
  readonly record: T | undefined
  readonly etag: string | undefined
}

/** The new tag, or `undefined` when somebody else has written since. */
type Written = Promise<string | undefined>

export interface WorkLog {
  attempt(ref: AccountRef, reportId: string): Promise<Advice<Attempt>>
  /** Writes a try over the one that has this tag. Answers the new tag, or `undefined`: somebody else wrote. */
  writeAttempt(ref: AccountRef, reportId: string, next: Attempt, etag: string | undefined): Written
  agenda(ref: AccountRef): Promise<Advice<Agenda>>
  writeAgenda(ref: AccountRef, next: Agenda, etag: string | undefined): Written
  job(name: string): Promise<Advice<JobRun>>
  writeJob(next: JobRun, etag: string | undefined): Written
  /** The last run of every job, by name. */
  jobs(): Promise<JobRun[]>
}

export function workLog(store: ObjectStore): WorkLog {
  /** Advice that cannot be read is no advice: it is written anew. */
  async function read<S extends z.ZodType>(key: string, schema: S): Promise<Advice<z.infer<S>>> {
    try {
      const found = await readRecord(store, key, schema)
      return { record: found?.record, etag: found?.etag }
    } catch (error) {
      if (!isFault(error, 'record-invalid')) throw error
      return { record: undefined, etag: (await store.head(key))?.etag }
    }
  }

  const write = (key: string, record: unknown, etag: string | undefined) =>
    writeRecord(store, key, record, etag)

  return {
    attempt: (ref, reportId) => read(attemptKey(ref, reportId), attemptRecord),
    writeAttempt: (ref, reportId, next, etag) => write(attemptKey(ref, reportId), next, etag),
    agenda: ref => read(agendaKey(ref), agendaRecord),
    writeAgenda: (ref, next, etag) => write(agendaKey(ref), next, etag),
    job: name => read(jobKey(name), jobRun),
    writeJob: (next, etag) => write(jobKey(next.job), next, etag),
    async jobs() {
      const runs: JobRun[] = []
      for await (const { key } of store.list(JOBS_PREFIX)) {
        const { record } = await read(key, jobRun)
        if (record !== undefined) runs.push(record)
      }
      return runs
    },
  }
}
