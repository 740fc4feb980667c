/**
 * Policies read as AWS evaluates them, as far as the stack's use goes: a denial wins, then what is allowed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import type { Template } from './template.ts'

export interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

export interface Call {
  readonly action: string
  readonly resource: string
  /** The keys that a condition may ask for; one that is not here is null. */
  readonly context?: Readonly<Record<string, string>>
}

export type Decision = 'allowed' | 'denied' | 'not allowed'

export function decide(statements: readonly Statement[], call: Call): Decision {
  const fitting = statements.filter(statement => fits(statement, call))
  if (fitting.some(({ Effect }) => Effect === 'Deny')) return 'denied'
  return fitting.some(({ Effect }) => Effect === 'Allow') ? 'allowed' : 'not allowed'
}

function fits({ Action, Resource, Condition = {} }: Statement, { action, resource, context = {} }: Call) {
  return (
    listOf(Action).some(pattern => matches(pattern, action)) &&
    listOf(Resource).some(pattern => matches(pattern, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, context[key], wanted)),
    )
  )
}

function holds(operator: string, actual: string | undefined, wanted: unknown): boolean {
  if (operator === 'Null') return (actual === undefined) === (wanted === 'true')
  if (['Bool', 'StringEquals', 'ArnEquals'].includes(operator)) return actual === String(wanted)
  if (operator === 'NumericLessThan') return actual !== undefined && Number(actual) < Number(wanted)
  throw new Error(`This test knows no condition ${operator}.`)
}

/** `*` is any characters, slashes too, and `?` is one. */
export function matches(pattern: string, text: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${expression}$`, 's').test(text)
}

export function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}

/** What a role is granted by its policies. */
export function statementsOf(template: Template, roleId: string): readonly Statement[] {
  return template
    .of('AWS::IAM::Policy')
    .filter(({ properties }) => properties.Roles.includes(`<${roleId}>`))
    .flatMap(({ properties }) => properties.PolicyDocument.Statement)
}

/** The policy of the bucket that holds everything. */
export function bucketStatements(template: Template): readonly Statement[] {
  return template.one('AWS::S3::BucketPolicy', 'BucketPolicy').properties.PolicyDocument.Statement
}
