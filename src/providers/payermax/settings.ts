/** What an account at PayerMax is configured with; nothing here is secret but what `secrets` names. */
import { z } from 'zod'

/** https://docs.payermax.com/en/doc-center/acquiring/integration-guide.html */
export const PRODUCTION_URL = 'https://pay-gate.payermax.com/aggregate-pay/api/gateway'

export const ZONES = ['UTC', 'CST'] as const
export type Zone = (typeof ZONES)[number]

/** CST is China's: eight hours east, without daylight saving; never the one of the United States. */
export const ZONE_MINUTES: Readonly<Record<Zone, number>> = { UTC: 0, CST: 480 }
export const ZONE_NAMES: Readonly<Record<Zone, string>> = { UTC: 'UTC', CST: 'UTC+08:00' }

const LOOPBACK = /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?(\/|$)/

/** An https address; http only on this machine. */
export const serviceUrl = z
  .string()
  .refine(text => URL.canParse(text) && (text.startsWith('https://') || LOOPBACK.test(text)), {
    message: 'expected an https address (http only for this machine)',
  })
  .transform(text => text.replace(/\/+$/, ''))

export const payerMaxSettings = z
  .strictObject({
    baseUrl: serviceUrl.default(PRODUCTION_URL),
    appId: z.string().min(1),
    memberId: z.string().min(1),
    /** PayerMax's public key from the merchant portal: PEM, or the line of Base64 that the portal prints. */
    publicKey: z.string().min(1),
    zones: z.array(z.enum(ZONES)).min(1).default(['UTC']),
    /** Empty: all that PayerMax reports. */
    currencies: z.array(z.string().regex(/^[A-Z]{3}$/, 'expected currencies such as USD')).default([]),
    fundsAccounts: z.array(z.string().min(1)).default([]),
    /** The documentation names no unit; every amount elsewhere in it is in major units. */
    amountUnit: z.enum(['major', 'minor']).default('major'),
    /** Decimal places of each currency, needed for minor units. */
    minorDigits: z.record(z.string(), z.int().min(0).max(8)).default({}),
    /** How long after a day has closed its balances are asked for. */
    availableAfterMinutes: z.int().min(0).max(2880).default(0),
    tries: z.int().min(1).max(10).default(3),
  })
  .refine(({ amountUnit, minorDigits }) => amountUnit === 'major' || Object.keys(minorDigits).length > 0, {
    path: ['minorDigits'],
    message: 'expected the decimal places of each currency, such as {"USD":2}: amounts are in minor units',
  })
export type PayerMaxSettings = z.infer<typeof payerMaxSettings>

export const payerMaxSecrets = z.object({ privateKey: z.string().min(1) })
