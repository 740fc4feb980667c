/** Bundles the handlers once for a run of suites, into a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { bundleHandler, STAGES } from '../../../handlers/bundle.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that holds a folder for each handler, as they would be deployed. */
    bundles: string
  }
}

let folder: string | undefined

export async function setup(project: TestProject): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'daybook-bundles-'))
  for (const stage of STAGES) await bundleHandler(stage, folder)
  project.provide('bundles', folder)
}

export async function teardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
}
