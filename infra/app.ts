/** The CDK app: reads the settings, finds the bundles, and writes the template for whoever deploys it. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { App, type AppProps, Validations } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { AwsSolutionsChecks } from 'cdk-nag'
import { DaybookError } from '../src/domain/errors.ts'
import { addDaybookStack } from './daybook-stack.ts'
import { readSettings } from './settings.ts'
import type { Stage } from './stages.ts'

/** What the templates rest on, beside the version of the library. */
export const FLAGS = {
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
  '@aws-cdk/aws-iam:minimizePolicies': false,
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/aws-lambda:recognizeLayerVersion': true,
  '@aws-cdk/core:enablePartitionLiterals': true,
}

/** An app whose stacks are checked when they are made into templates; a finding fails the app. */
export function daybookApp(props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props, postCliContext: FLAGS })
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }))
  return app
}

/** The bundles of a folder, as `npm run build:handlers` makes them. Throws `config-invalid` for one that is missing. */
export function bundlesIn(root: string): (stage: Stage) => Code {
  return stage => {
    const folder = join(root, stage)
    if (existsSync(join(folder, 'index.mjs'))) return Code.fromAsset(folder)
    const says = `There is no bundle of ${stage}: run "npm run build:handlers" first.`
    throw new DaybookError('config-invalid', says)
  }
}

if (import.meta.main) {
  const cliWaits = process.env.CDK_OUTDIR !== undefined
  const app = daybookApp(cliWaits ? {} : { outdir: resolve(import.meta.dirname, 'cdk.out') })
  const path: unknown = app.node.tryGetContext('settings') ?? process.argv[2]
  const settings = readSettings(typeof path === 'string' ? resolve(path) : undefined)
  addDaybookStack(app, { settings, codeOf: bundlesIn(resolve(import.meta.dirname, '.build')) })
  app.synth()
}
