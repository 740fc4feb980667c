/**
 * What an account at Onerway is configured with. The account services have addresses and paths of their
 * own, which no public page prints: there is no default for them, and none is borrowed from another
 * product of Onerway.
 */
import { z } from 'zod'

/** Where the values come from, for whoever has to find them. */
export const WHERE_FOUND =
  "Onerway prints the account service's base URL and paths on no public page: they come with the set-up of the service (https://docs.onerway.com/apis/en/v0.6/account-service-setup) or from your contact at Onerway"

const LOOPBACK = /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?(\/|$)/

const serviceUrl = z
  .string('expected the base URL of the account service')
  .refine(text => URL.canParse(text) && (text.startsWith('https://') || LOOPBACK.test(text)), {
    message: 'expected an https address (http only for this machine)',
  })
  .transform(text => text.replace(/\/+$/, ''))

const path = z.string('expected a path').regex(/^\/[\w./-]*$/, 'expected a path such as /a/b')
const currency = z.string().regex(/^[A-Z]{3,10}$/, 'expected a currency such as USD')

export const onerwaySettings = z.strictObject({
  baseUrl: serviceUrl,
  paths: z.strictObject(
    { balance: path, overview: path, transactions: path },
    'expected the paths balance, overview and transactions',
  ),
  method: z.enum(['POST', 'PUT']).default('POST'),
  keyHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/)
    .default('apikey'),
  /** Absent: Onerway's own default, which is not public. */
  displayCurrency: currency.optional(),
  /** Currencies to ask for one by one; empty: the overview of all. */
  currencies: z.array(currency).default([]),
  /** Whether every try has a request id of its own; a duplicate may be refused, or answered as before. */
  newRequestIdPerAttempt: z.boolean().default(true),
  /** The balance that a movement's amount is taken to move, until Onerway has confirmed it. */
  activityTarget: z.enum(['total', 'available']).default('total'),
  /** Whether Onerway has confirmed it; nothing is proved before. */
  activityTargetConfirmed: z.boolean().default(false),
  tries: z.int().min(1).max(10).default(3),
  mostPages: z.int().min(1).max(100_000).default(1000),
})
export type OnerwaySettings = z.infer<typeof onerwaySettings>

export const onerwaySecrets = z.object({ apiKey: z.string('expected the API key').min(1) })
