/** The stack as the template that would be deployed, made once a test file, with bundles of one line each. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type Stack } from 'aws-cdk-lib'
import { bundlesIn, FLAGS } from '../../infra/app.ts'
import { addDaybookStack } from '../../infra/daybook-stack.ts'
import { stackSettings } from '../../infra/settings.ts'
import { STAGES } from '../../infra/stages.ts'

export interface Resource {
  readonly id: string
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: a template is JSON of a hundred shapes.
  readonly properties: Record<string, any>
  readonly dependsOn: readonly string[]
  readonly deletionPolicy: string | undefined
}

export interface Template {
  readonly app: App
  readonly stack: Stack
  /** Every resource; references stand as text: `<Bucket.Arn>/reports/*`. */
  readonly resources: readonly Resource[]
  readonly outputs: Readonly<Record<string, string>>
  /** Those of a type, such as `AWS::SQS::Queue`. */
  of(type: string): readonly Resource[]
  /** The one of a type with this name. */
  one(type: string, id?: string): Resource
}

export function makeTemplate(settings: unknown = {}): Template {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-template-'))
  try {
    for (const stage of STAGES) {
      mkdirSync(join(folder, stage))
      writeFileSync(join(folder, stage, 'index.mjs'), `export const handler = () => '${stage}'\n`)
    }
    const app = new App({ outdir: join(folder, 'out'), analyticsReporting: false, postCliContext: FLAGS })
    const stack = addDaybookStack(app, { settings: stackSettings.parse(settings), codeOf: bundlesIn(folder) })
    const assembly = app.synth()
    const template = JSON.parse(readFileSync(join(assembly.directory, stack.templateFile), 'utf8'))
    return templateOf(app, stack, template)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Made {
  readonly Type: string
  readonly Properties?: unknown
  readonly DependsOn?: readonly string[]
  readonly DeletionPolicy?: string
}

function templateOf(
  app: App,
  stack: Stack,
  { Resources, Outputs }: { Resources: Record<string, Made>; Outputs: Record<string, { Value: unknown }> },
): Template {
  const resources = Object.entries(Resources).map(([id, made]) => ({
    id: plainId(id),
    type: made.Type,
    properties: plain(made.Properties ?? {}) as Resource['properties'],
    dependsOn: (made.DependsOn ?? []).map(plainId),
    deletionPolicy: made.DeletionPolicy,
  }))
  const of = (type: string) => resources.filter(resource => resource.type === type)
  return {
    app,
    stack,
    resources,
    outputs: Object.fromEntries(Object.entries(Outputs).map(([id, { Value }]) => [id, `${plain(Value)}`])),
    of,
    one(type, id) {
      const found = of(type).filter(resource => id === undefined || resource.id === id)
      if (found.length !== 1) throw new Error(`expected one ${type} ${id ?? ''}, found ${found.length}`)
      return found[0]!
    },
  }
}

/** The library ends its names in eight digits of a hash. */
function plainId(id: string): string {
  return id.replace(/[0-9A-F]{8}$/, '')
}

/** A value with its references as text. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [[name, argument] = ['', undefined]] = entries
  if (entries.length === 1 && name === 'Ref') return `<${plainId(String(argument))}>`
  if (entries.length === 1 && name === 'Fn::GetAtt') {
    const [id, attribute] = argument as [string, string]
    return `<${plainId(id)}.${attribute}>`
  }
  if (entries.length === 1 && name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]]
    return parts.map(plain).join(separator)
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]))
}
