/** The operations of the API, each with the schemas that read it, answer it and describe it. */
import { z } from 'zod'
import packageJson from '../../../package.json' with { type: 'json' }
import {
  accountName,
  auditLine,
  balancesView,
  dayLine,
  dayView,
  findingLine,
  monthView,
  overviewView,
  REPORT_STATES,
  reportLine,
  reportView,
} from '../../console/views.ts'
import { isSafeSegment } from '../../domain/keys.ts'
import { WALLET_SCOPES } from '../../domain/report.ts'
import { dayField, monthField } from './query.ts'

export interface ApiOperation {
  readonly path: string
  readonly says: string
  readonly fields: z.ZodObject
  readonly answers: z.ZodType
}
export interface ApiPost extends ApiOperation {
  readonly posts: true
}

const account = { provider: z.string().max(40), account: z.string().max(40) }
const report = { reportId: z.string().refine(isSafeSegment, 'expected the id of a report') }
const day = dayField.meta({ description: 'a UTC day, YYYY-MM-DD' })
const range = { from: day, to: day }
const month = monthField.meta({ description: 'a UTC month, YYYY-MM' })
const limit = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(text => Math.min(1000, Math.max(1, Number.parseInt(text, 10))))
  .default(100)
const paging = { cursor: z.string().max(600).optional(), limit }
const wallets = z.enum(WALLET_SCOPES).default('all')

function listOf(item: z.ZodType) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'the cursor of the next page' }),
  })
}

/** What came of a post; the same answer for the same `Idempotency-Key`. */
const acted = z.object({
  at: z.string(),
  outcome: z.string(),
  says: z.string(),
  about: z.record(z.string(), z.string()),
})

const at = '/accounts/{provider}/{account}'

export const API = {
  accounts: { path: '/accounts', says: 'The accounts.', fields: z.object({}), answers: listOf(accountName) },
  overview: {
    path: at,
    says: 'Quota, newest report, days of this month, open findings, what happens now and next.',
    fields: z.object(account),
    answers: overviewView,
  },
  days: {
    path: `${at}/days`,
    says: 'The state of every day of a range; both ends count.',
    fields: z.object({ ...account, ...range }),
    answers: listOf(dayLine),
  },
  day: {
    path: `${at}/days/{day}`,
    says: 'One day: rows by operation, totals, reports, findings, corrections.',
    fields: z.object({ ...account, day }),
    answers: dayView,
  },
  reports: {
    path: `${at}/reports`,
    says: 'Reports, the newest first.',
    fields: z.object({
      ...account,
      ...paging,
      state: z.enum(REPORT_STATES).optional(),
      wallets: z.enum(WALLET_SCOPES).optional(),
      from: day.optional(),
      to: day.optional(),
      search: z.string().max(200).optional(),
    }),
    answers: listOf(reportLine),
  },
  report: {
    path: `${at}/reports/{reportId}`,
    says: 'One report, with its timeline and evidence.',
    fields: z.object({ ...account, ...report }),
    answers: reportView,
  },
  balances: {
    path: `${at}/balances`,
    says: 'What the account held, reading by reading, beside what the movements imply.',
    fields: z.object({
      ...account,
      ...range,
      asset: z.string().max(60).optional(),
      place: z.string().max(100).optional(),
    }),
    answers: balancesView,
  },
  findings: {
    path: `${at}/findings`,
    says: 'What the newest reconciliation of each day found.',
    fields: z.object({ ...account, ...range, ...paging }),
    answers: listOf(findingLine),
  },
  month: {
    path: `${at}/months/{month}`,
    says: 'Whether a month is ready to be closed, and what is missing.',
    fields: z.object({ ...account, month }),
    answers: monthView,
  },
  audit: {
    path: '/audit/{day}',
    says: 'Downloads and actions of a day, the newest first.',
    fields: z.object({ day, ...paging }),
    answers: listOf(auditLine),
  },
  ask: {
    path: `${at}/reports`,
    posts: true,
    says: 'Asks for a report; costs one of the month.',
    fields: z.object({ ...account, ...range, wallets, again: z.boolean().default(false) }),
    answers: acted,
  },
  plan: {
    path: `${at}/plans`,
    posts: true,
    says: 'Asks for what is missing since a day, as far as this month has room.',
    fields: z.object({ ...account, from: day }),
    answers: acted,
  },
  sweep: {
    path: `${at}/sweeps`,
    posts: true,
    says: 'Finishes what is unfinished and due.',
    fields: z.object(account),
    answers: acted,
  },
  snapshot: {
    path: `${at}/snapshots`,
    posts: true,
    says: 'Reads the balances now.',
    fields: z.object(account),
    answers: acted,
  },
  retry: {
    path: `${at}/reports/{reportId}/retries`,
    posts: true,
    says: 'Tries an unfinished report now.',
    fields: z.object({ ...account, ...report }),
    answers: acted,
  },
  reconcile: {
    path: `${at}/days/{day}/reconciliations`,
    posts: true,
    says: 'Holds the balances of a day against its movements.',
    fields: z.object({ ...account, day }),
    answers: acted,
  },
  explain: {
    path: `${at}/days/{day}/explanations`,
    posts: true,
    says: 'Notes what a person knows of a finding.',
    fields: z.object({
      ...account,
      day,
      finding: z.string().min(1).max(300),
      run: z.number().int().positive(),
      says: z.string().trim().min(1).max(4000),
      answered: z.boolean().default(false),
    }),
    answers: acted,
  },
  close: {
    path: `${at}/months/{month}/closings`,
    posts: true,
    says: 'Closes a month that is ready.',
    fields: z.object({ ...account, month, note: z.string().max(400).default('') }),
    answers: acted,
  },
} as const satisfies Record<string, ApiOperation | ApiPost>

/** The description of the API, made of the very schemas that read and answer. */
export function openApi(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, operation] of Object.entries(API) as [string, ApiOperation | ApiPost][]) {
    const isPost = 'posts' in operation
    const { properties = {}, required = [] } = schemaOf(operation.fields, 'input') as {
      properties?: Record<string, object>
      required?: string[]
    }
    const inPath = (field: string) => operation.path.includes(`{${field}}`)
    const parameters = Object.entries(properties)
      .filter(([field]) => !isPost || inPath(field))
      .map(([field, schema]) => ({
        name: field,
        in: inPath(field) ? 'path' : 'query',
        required: inPath(field) || required.includes(field),
        schema,
      }))
    const body = Object.entries(properties).filter(([field]) => isPost && !inPath(field))
    paths[operation.path] = {
      ...paths[operation.path],
      [isPost ? 'post' : 'get']: {
        operationId: name,
        summary: operation.says,
        parameters: isPost ? [...parameters, IDEMPOTENCY_KEY] : parameters,
        ...(body.length === 0
          ? {}
          : {
              requestBody: {
                required: true,
                content: {
                  'application/json': {
                    schema: {
                      type: 'object',
                      properties: Object.fromEntries(body),
                      required: required.filter(field => !inPath(field)),
                    },
                  },
                },
              },
            }),
        responses: {
          200: {
            description: 'Done.',
            content: { 'application/json': { schema: schemaOf(operation.answers, 'output') } },
          },
          default: {
            description: 'A problem (RFC 9457).',
            content: { 'application/problem+json': { schema: PROBLEM } },
          },
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Daybook',
      version: packageJson.version,
      description: 'Days and instants are UTC. Amounts are exact decimal numbers as text.',
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'DAYBOOK_API_TOKEN; reads only.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'daybook-session',
          description: 'As a person; posts need the header x-csrf-token.',
        },
      },
    },
  }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
  })
  return rest
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'Of your own making; the same key has its effect once.',
  schema: { type: 'string', minLength: 8, maxLength: 200 },
}

const PROBLEM = {
  type: 'object',
  properties: { type: { type: 'string' }, title: { type: 'string' }, status: { type: 'integer' } },
  required: ['type', 'title', 'status'],
}
