/** What every engine is handed and must leave behind. */
export interface EngineJob {
  readonly path: string
  /** An empty folder for the output. */
  readonly folder: string
  readonly threads: number
}

/** Turns the statement into data files in the folder. */
export type Engine = (job: EngineJob) => Promise<void>
