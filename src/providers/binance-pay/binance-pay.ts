/** Binance Pay: the abilities of one merchant account. */
import type { Credentials } from '../../config/secrets.ts'
import { DaybookError, findFault } from '../../domain/errors.ts'
import type { Clock, Random } from '../../host.ts'
import type { Log } from '../../log.ts'
import type { Http } from '../http.ts'
import type {
  Balances,
  Callbacks,
  Debits,
  ProbeAnswer,
  Provider,
  Reports,
  SubmitAnswer,
} from '../provider.ts'
import {
  BALANCE_REPORT_PATH,
  balanceReportBody,
  balanceReportRefusal,
  END_BEFORE_TODAY_DAYS,
  LONGEST_SPAN_DAYS,
  readBalanceReportAnswer,
} from './balance-report.ts'
import {
  BALANCE_REPORT_QUERY_PATH,
  balanceReportQueryBody,
  readBalanceReportQueryAnswer,
} from './balance-report-query.ts'
import { callbackProof, readCallback, verifyCallback } from './callback.ts'
import { CERTIFICATES_PATH, certificatesBody, readCertificatesAnswer } from './certificates.ts'
import { type BinancePayClient, binancePayClient } from './client.ts'
import { directDebits } from './direct-debit.ts'
import { createdAt } from './id.ts'
import { type KeyRecords, type KeyRing, keyRing } from './key-ring.ts'
import { type BalanceSettings, balanceSettings, walletBalances } from './wallet-balance.ts'

export const BINANCE_PAY = 'binance-pay'

export interface BinancePayOptions {
  readonly baseUrl: string
  readonly credentials: () => Credentials
  /** `v2` when absent. */
  readonly balances?: BalanceSettings
  readonly callbackMaxAgeMs: number
  readonly keyRefetchAfterMs: number
  readonly http: Http
  readonly keyRecords: KeyRecords
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface BinancePay extends Provider {
  readonly reports: Reports
  readonly callbacks: Callbacks
  readonly balances: Balances
  readonly debits: Debits
  /** Fetches the certificates: proves address, clock and credentials, and costs no quota. */
  probe(): Promise<ProbeAnswer>
}

export function binancePay(options: BinancePayOptions): BinancePay {
  const client = binancePayClient(options)
  const ring = keyRing({
    ...options,
    provider: BINANCE_PAY,
    records: options.keyRecords,
    refetchAfterMs: options.keyRefetchAfterMs,
    fetchKeys: async () => readCertificatesAnswer(await client.call(CERTIFICATES_PATH, certificatesBody())),
  })
  return {
    name: BINANCE_PAY,
    reports: balanceReports(client, options.credentials),
    callbacks: signedCallbacks(ring, options.clock, options.callbackMaxAgeMs),
    balances: walletBalances({ ...options, client, settings: options.balances ?? balanceSettings.parse({}) }),
    debits: directDebits({ ...options, client }),
    probe: async () => ({ serials: await ring.refresh(), aheadMs: client.aheadMs() }),
  }
}

/**
 * A report is asked for only while the clocks agree this far: the month it is counted in and the match of
 * a lost answer both rest on our time (`turnOfMonth`, `match`).
 */
const MOST_SKEW_MS = 2_500

function balanceReports(client: BinancePayClient, credentials: () => Credentials): Reports {
  return {
    // The end date counts as not covered, so the newest day is the one before it.
    window: { maxDays: LONGEST_SPAN_DAYS, newestBeforeTodayDays: END_BEFORE_TODAY_DAYS + 1 },
    refusal(request, now) {
      credentials()
      return balanceReportRefusal(request, now)
    },
    createdAt,
    async submit(request) {
      try {
        const body = balanceReportBody(request)
        return readBalanceReportAnswer(
          await client.call(BALANCE_REPORT_PATH, body, { mostSkewMs: MOST_SKEW_MS }),
        )
      } catch (error) {
        return unanswered(error)
      }
    },
    query: async reportId =>
      readBalanceReportQueryAnswer(
        await client.call(BALANCE_REPORT_QUERY_PATH, balanceReportQueryBody(reportId)),
      ),
  }
}

/** A submission without an answer: only one that never left is certain to have made no report. */
function unanswered(error: unknown): SubmitAnswer {
  const fault = findFault(error)
  if (fault?.code !== 'provider-unreachable') throw error
  return fault.details.sent === false
    ? { outcome: 'rejected', code: 'not-sent', says: fault.message }
    : { outcome: 'unknown', says: fault.message }
}

function signedCallbacks(ring: KeyRing, clock: Clock, maxAgeMs: number): Callbacks {
  return {
    verify: message => verifyCallback(message, { findKey: findKey(ring), now: clock.now(), maxAgeMs }),
    read: readCallback,
    proof: callbackProof,
    replies: {
      accepted: { status: 200, body: '{"returnCode":"SUCCESS","returnMessage":null}' },
      refused: { status: 401, body: '{"returnCode":"FAIL","returnMessage":null}' },
    },
  }
}

/** A key that cannot be fetched is no refusal: the sender must try again, whatever the reason was. */
function findKey(ring: KeyRing): KeyRing['find'] {
  return async serial => {
    try {
      return await ring.find(serial)
    } catch (error) {
      const why = findFault(error)?.message ?? 'unexpected error'
      throw new DaybookError('provider-unreachable', `The key of a callback could not be fetched: ${why}`, {
        cause: error,
      })
    }
  }
}
