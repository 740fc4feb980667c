/** What stages touch. Each stage names, in its first parameter, the part of it that it needs. */
import type { AddedColumns } from '../domain/column-names.ts'
import type { AccountRef } from '../domain/keys.ts'
import type { PollPolicy } from '../domain/polling.ts'
import type { Clock, Random } from '../host.ts'
import type { Log } from '../log.ts'
import type { Downloader } from '../providers/download.ts'
import type { Provider } from '../providers/provider.ts'
import type { ObjectStore } from '../stores/object-store.ts'
import type { QuotaLedger } from '../stores/quota-ledger.ts'
import type { ReportLog } from '../stores/report-log.ts'
import type { WorkLog } from '../stores/work-log.ts'

/** One merchant account with its provider's abilities. */
export interface Account {
  readonly ref: AccountRef
  readonly provider: Provider
  /** How many reports may be generated in a calendar month (UTC). */
  readonly monthlyLimit: number
  /** Minutes east of UTC of times in files that do not name their zone; `undefined`: UTC is assumed, and noted. */
  readonly zoneMinutes: number | undefined
  /** Names of columns beside those of the table. */
  readonly columns: AddedColumns
}

export interface Context {
  readonly store: ObjectStore
  readonly ledger: QuotaLedger
  readonly reports: ReportLog
  readonly work: WorkLog
  readonly polling: PollPolicy
  readonly download: Downloader
  /** Whether files may be fetched from a host by what is configured now. */
  readonly allowsHost: (host: string) => boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Who writes the records: host and process. */
  readonly processName: string
  /** Whether the process of that name may still be at work; unknown counts as yes. */
  readonly mayBeAlive: (processName: string) => boolean
  /** Makes a folder for files that live only while a stage runs; the stage removes it. */
  readonly makeWorkFolder: () => Promise<string>
  /** Bytes and rows done so far, for whoever shows progress. */
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly stage: 'archive' | 'parse'
  readonly reportId: string
  readonly bytes: number
  /** The whole, where it is known. */
  readonly totalBytes?: number
  readonly rows?: number
}
