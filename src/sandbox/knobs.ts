/** Everything about Binance Pay that is not documented, and every fault it can show, as named settings. */
import { z } from 'zod'
import { DaybookError } from '../domain/errors.ts'
import { type JsonValue, tryParseJson } from '../domain/json.ts'
import { nearNames } from './near-names.ts'
import { plainValue } from './plain-json.ts'

const count = (fallback: number, text: string) => z.int().min(0).default(fallback).describe(text)
const flag = (text: string) => z.boolean().default(false).describe(text)
const choice = <const T extends readonly [string, ...string[]]>(values: T, text: string) =>
  z
    .enum(values)
    .default(values[0] as never)
    .describe(text)

/** The first value of a choice is its default. */
export const knobsSchema = z.strictObject({
  clockSkewMs: z.int().default(0).describe("how far the sandbox's clock is ahead of the host's"),
  clockWindowMs: count(1000, 'largest difference of a request timestamp; beyond it 400003'),
  clockWindowSide: choice(['both', 'behind', 'ahead'], 'which side of the clock window is enforced'),
  nonceReplay: choice(['accept', 'refuse'], 'a nonce seen before: accepted, or refused with 400002'),
  ipAllowed: z.boolean().default(true).describe('false: every call is refused with 400004'),
  maxBodyBytes: count(65_536, 'largest request body; beyond it 400104'),
  failHttpStatus: choice(['always-200', 'by-code'], 'HTTP status of refusals'),
  errorShape: choice(['1', '2', '3', '4'], 'envelope | code and msg | gateway error | CloudFront HTML'),

  endDateRule: choice(['both', 'V3', 'V4'], 'V3: end before yesterday; V4: end at least a day after start'),
  endDateMeaning: choice(['exclusive', 'inclusive'], 'whether the file holds the rows of endDate'),
  dateZone: choice(['UTC', 'UTC+8'], 'zone of startDate, endDate and of "today"'),
  spanRule: choice(['3-calendar-months', '90-days'], 'longest range of a report'),

  quotaPerMonth: count(50, 'reports a merchant may make in a month'),
  quotaCounts: choice(['submits', 'finished'], 'what counts: accepted submits, or finished reports'),
  quotaWindow: choice(['calendar-month', 'rolling-30-days'], 'the month of the quota, in UTC'),
  quotaUsedElsewhere: count(0, 'reports of the month made in the portal'),
  quotaRefusalCode: z
    .string()
    .regex(/^\d{6}$/)
    .default('400001')
    .describe('code of a submit beyond the quota'),

  processingMs: count(105_000, 'from the accepted submit to the finished report'),
  outcome: choice(['SUCCESS', 'FAILED', 'EXPIRED', 'NEVER'], 'how a report ends; NEVER stays PROCESSING'),
  failedCallback: flag('a FAILED report is told by a callback too'),
  linkLifeMs: count(86_400_000, 'life of a download link'),
  linkBase: z.string().default('').describe("origin of download links; empty: the sandbox's own"),
  freshLinkOnQuery: flag('every query of a finished report makes a new link; never EXPIRED'),
  freshLinkAfterExpiredMs: count(
    0,
    'so long after a link has run out, a query of its report makes a new one; 0: never',
  ),
  queryShape: choice(['bare', 'wrapped'], 'shape of a query answer'),
  queryAnswer: choice(
    ['normal', 'not-exist', 'null-status'],
    'a query answer that knows less than it should',
  ),

  submitDelayMs: count(0, 'wait between the effect of a submit and its answer'),
  queryDelayMs: count(0, 'wait before a query is answered'),
  certificatesDelayMs: count(0, 'wait before the certificates are answered'),
  submitFault: choice(
    [
      'none',
      'no-answer-after-effect',
      'reset-after-effect',
      'http-500-after-effect',
      'no-answer-before-effect',
      'reset-before-effect',
      'http-500-before-effect',
      'html-403-before-effect',
    ],
    'what happens to a valid submit, with or without a report being made',
  ),
  queryFault: choice(['none', 'no-answer', 'reset', 'http-500', 'html-403'], 'what happens to a valid query'),
  certificatesFault: choice(
    ['none', 'no-answer', 'reset', 'http-500', 'html-403'],
    'what happens to a valid certificates call',
  ),
  faultTimes: count(0, 'only the first n calls of an endpoint meet its fault; 0: all. Counted anew when set'),

  callbackUrl: z.string().default('').describe("where callbacks go; empty: the merchant's own URL"),
  callbackRetries: count(6, 'further deliveries until HTTP 200 with returnCode SUCCESS'),
  callbackRetryFirstMs: count(1000, 'wait before the first retry'),
  callbackRetryFactor: z.number().min(1).default(2).describe('growth of the wait from retry to retry'),
  callbackRetryIdentity: choice(['fresh', 'same'], 'nonce and timestamp of a retry'),
  callbackTimeoutMs: count(5000, 'patience of the sender'),
  callbackLost: flag('no callback is sent'),
  callbackDelayMs: count(0, 'how late the callback is sent'),
  callbackCopies: z.int().min(1).default(1).describe('deliveries of every callback at once'),
  callbackBeforeAnswer: flag('the report is ready, and its callback sent, before the submit is answered'),
  callbackForUnknownId: flag('a validly signed callback for an id nobody was given comes first'),
  callbackTimestampOffsetMs: z.int().default(0).describe('added to the callback timestamp; negative: stale'),
  callbackSerial: choice(['right', 'wrong', 'lower-case'], 'certificate serial in the callback'),
  callbackKey: choice(['right', 'wrong'], 'key that signs the callback'),
  callbackChangedByte: flag('a digit of the body is changed after signing'),
  callbackWithoutBizIdStr: flag('bizIdStr is left out'),
  callbackData: choice(['string', 'object'], 'inner data: a JSON string, or an object'),
  callbackStatus: choice(['number', 'string', 'word'], 'inner status: 2, "2" or "SUCCESS"'),

  certificateCount: z.int().min(1).max(2).default(1).describe('certificates answered at least'),
  certificateOrder: choice(['active-first', 'active-last'], 'place of the active certificate'),
  certificateShape: choice(['array', 'object'], 'data of the certificates answer; object: the active one'),
  certificateFormat: choice(['pem', 'base64'], 'certPublic as PEM, or as bare base64'),
  certificateBits: choice(['2048', '1024', '4096'], 'RSA size of keys made from now on'),
  certificateKeepsOld: z.boolean().default(true).describe('after a rotation the old key is still answered'),

  downloadNotFoundTimes: count(0, 'first fetches of a report that are answered 404'),
  downloadUnavailableTimes: count(0, 'fetches after those that are answered 503'),
  downloadCutAfterBytes: count(0, 'bytes after which a download breaks off; 0: never'),
  downloadCutTimes: count(1, 'fetches after those that break off'),
  downloadBytesPerSecond: count(0, 'speed of a download; 0: unlimited'),
  downloadRedirect: z
    .string()
    .regex(/^(none|path|loop|https?:\/\/[^/]+)$/)
    .default('none')
    .describe('302 of a link: none, path, loop, or another origin such as http://localhost:1'),
  downloadExpiredBody: choice(['xml', 'html'], 'body of the 403 of an expired link'),

  rowsPerDay: count(120, 'rows of a day, both wallets together'),
  fileLayout: choice(['B-bare', 'B-quoted', 'A', 'C'], 'header, quoting, number and time layout'),
  fileContainer: choice(['csv', 'gzip', 'zip'], 'container of the file'),
  fileZipParts: z.int().min(1).max(99).default(1).describe('CSV parts in a zip'),
  fileZipNoise: flag('a zip also holds a directory and a __MACOSX entry'),
  fileMissingPart: flag('the last part of a zip is left out'),
  fileZoneOffsetMinutes: z.int().min(-840).max(840).default(0).describe('zone of the times of layout C'),
  fileEol: choice(['LF', 'CRLF'], 'line ends'),
  fileBom: flag('a UTF-8 byte order mark first'),
  fileFinalNewline: z.boolean().default(true).describe('a line end after the last line'),
  fileOrder: choice(['ascending', 'descending', 'shuffled'], 'order of rows; shuffled: inside each second'),
  fileExtraColumn: flag('one more column, EUR_Value'),
  fileTruncated: flag('the last line is cut off in its middle'),
  fileEmpty: choice(['no', 'header-only', 'no-data-message'], 'a file without rows'),
})

export type Knobs = z.infer<typeof knobsSchema>
export type KnobName = keyof Knobs

export const defaultKnobs: Knobs = knobsSchema.parse({})

const knobNames = Object.keys(knobsSchema.shape) as KnobName[]

/** Checks some knobs by name and value; throws `config-invalid` with a sentence that says what would do. */
export function readKnobs(input: unknown): Partial<Knobs> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new DaybookError('config-invalid', 'Knobs are an object of names and values.')
  }
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [checkName(name), readValue(checkName(name), value)]),
  )
}

/** Reads `name=value` of a command line. */
export function parseKnob(text: string): Partial<Knobs> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new DaybookError('config-invalid', `A knob is written name=value, not "${text}".`)
  const name = checkName(text.slice(0, equals).trim())
  return { [name]: readText(name, text.slice(equals + 1).trim()) }
}

export interface KnobRow {
  readonly name: KnobName
  readonly values: string
  readonly fallback: string
  readonly text: string
}

/** Every knob with its possible values, its default and what it does, for a help text. */
export function knobTable(): KnobRow[] {
  return knobNames.map(name => ({
    name,
    values: valuesOf(name),
    fallback: String(defaultKnobs[name]),
    text: knobsSchema.shape[name].description ?? '',
  }))
}

function checkName(name: string): KnobName {
  if (Object.hasOwn(knobsSchema.shape, name)) return name as KnobName
  const near = nearNames(name, knobNames)
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See the list of knobs in the help.'
  throw new DaybookError('config-invalid', `There is no knob "${name}". ${hint}`)
}

function readValue(name: KnobName, value: unknown): unknown {
  const result = knobsSchema.shape[name].safeParse(value)
  if (value !== undefined && result.success) return result.data
  throw new DaybookError('config-invalid', `Knob ${name} takes ${valuesOf(name)}, not ${String(value)}.`)
}

/** The text itself when the knob takes texts, otherwise the JSON value it spells. */
function readText(name: KnobName, text: string): unknown {
  const asText = knobsSchema.shape[name].safeParse(text)
  const spelled: JsonValue | undefined = asText.success ? undefined : tryParseJson(text)
  return readValue(name, spelled === undefined ? text : plainValue(spelled))
}

function valuesOf(name: KnobName): string {
  const inner = knobsSchema.shape[name].unwrap()
  if (inner instanceof z.ZodEnum) return inner.options.join(' | ')
  if (inner instanceof z.ZodBoolean) return 'true | false'
  return inner instanceof z.ZodNumber ? 'a number' : 'a text'
}
