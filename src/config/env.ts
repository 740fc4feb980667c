/** The environment: which variables there are, and the only place that reads them. */

export interface Variable {
  /** What it means, for `--help` and the README. */
  readonly says: string
  /** The value when it is not set; absent: there is none. */
  readonly default?: string
  /** Never printed; also read from the file that `NAME_FILE` names. */
  readonly secret?: true
}

export const VARIABLES = {
  DAYBOOK_STORE: {
    says: 'where everything is kept: a folder, or s3://bucket or s3://bucket/prefix',
    default: './daybook-data',
  },
  DAYBOOK_S3_ENDPOINT: { says: 'the address of an S3-compatible store; not needed for Amazon S3' },
  AWS_REGION: { says: 'the region of the bucket', default: 'us-east-1' },
  DAYBOOK_ACCOUNTS: {
    says: 'a JSON file with several merchant accounts, instead of DAYBOOK_ACCOUNT and its keys',
  },
  DAYBOOK_SECRET_ID: {
    says: 'names or ARNs of AWS Secrets Manager secrets, separated by commas, that hold what the file of DAYBOOK_ACCOUNTS would',
  },
  DAYBOOK_ACCOUNT: {
    says: 'the name of the merchant account, used in keys and in the callback path',
    default: 'main',
  },
  BINANCE_PAY_API_KEY: { says: 'the API key of the merchant account', secret: true },
  BINANCE_PAY_SECRET_KEY: { says: 'the secret key that belongs to it', secret: true },
  DAYBOOK_MONTHLY_LIMIT: {
    says: 'how many balance reports may be generated in a month (UTC)',
    default: '50',
  },
  DAYBOOK_RESERVE: {
    says: 'how many of them are kept for people: neither a plan nor a schedule uses these',
    default: '5',
  },
  DAYBOOK_CADENCE: {
    says: 'how often `serve` and `plan --due` ask for the newest days: daily, weekly, monthly or off',
    default: 'daily',
  },
  DAYBOOK_EARLIEST_DAY: {
    says: 'the first day worth asking for, such as the day the account was opened; plans begin there unless told',
  },
  DAYBOOK_FILE_ZONE: {
    says: 'the zone of times in files that do not name one, such as +08:00; unset: UTC, and noted',
  },
  DAYBOOK_COLUMNS_FILE: {
    says: 'a JSON file of further column names by meaning, for files whose header is not known yet',
  },
  BINANCE_PAY_BASE_URL: {
    says: 'the address of the Binance Pay API',
    default: 'https://bpay.binanceapi.com',
  },
  BINANCE_PAY_BALANCE_API: {
    says: 'v2 asks for the balances of all assets at once; v1 asks for each asset of BINANCE_PAY_BALANCE_ASSETS',
    default: 'v2',
  },
  BINANCE_PAY_BALANCE_ASSETS: {
    says: 'the assets that v1 asks for, separated by commas; with v2 they are what it falls back to',
  },
  DAYBOOK_DOWNLOAD_HOSTS: {
    says: 'hosts that report files may be fetched from, separated by commas; *.example.com means any host below it',
    default: '*.binance.com,*.binanceapi.com',
  },
  DAYBOOK_DOWNLOAD_MAX_BYTES: { says: 'the largest file that is fetched', default: '4294967296' },
  DAYBOOK_LISTEN: { says: 'the address and port that `daybook serve` listens on', default: '127.0.0.1:8080' },
  DAYBOOK_DESK_LISTEN: {
    says: 'where the finance desk listens; the same as DAYBOOK_LISTEN: on one port; off: there is none; unset: the port after that of DAYBOOK_LISTEN, on the loopback address',
  },
  DAYBOOK_DESK_URL: {
    says: 'the https address people reach the desk under, behind whatever ends TLS; needed to listen beyond loopback',
  },
  DAYBOOK_DESK_SESSION_HOURS: { says: 'how long a login to the desk lasts', default: '8' },
  DAYBOOK_DESK_SESSION_KEY: {
    says: 'what signs the sessions of the desk, at least 32 characters; unset: a new one at every start',
    secret: true,
  },
  DAYBOOK_DESK_IMPORT_MAX_BYTES: {
    says: 'the largest file that can be brought through the desk; larger ones with `daybook import`',
    default: '67108864',
  },
  DAYBOOK_PROXIES: {
    says: 'how many proxies stand before this process and name the address of who asks in X-Forwarded-For',
    default: '0',
  },
  DAYBOOK_API_TOKEN: {
    says: 'lets programs read the API with `Authorization: Bearer …`, at least 32 characters',
    secret: true,
  },
  DAYBOOK_OIDC_ISSUER: {
    says: 'the OpenID Connect provider that people log in to the desk with; unset: by the link that `serve` prints',
  },
  DAYBOOK_OIDC_CLIENT_ID: { says: 'the name of the desk at that provider' },
  DAYBOOK_OIDC_CLIENT_SECRET: { says: 'the secret of the desk at that provider', secret: true },
  DAYBOOK_OIDC_SCOPES: { says: 'what is asked for at login', default: 'openid profile email' },
  DAYBOOK_OIDC_ROLE_CLAIM: {
    says: 'the claim that tells roles or groups; dots lead into objects',
    default: 'roles',
  },
  DAYBOOK_OIDC_OPERATORS: {
    says: 'values of that claim that make an operator, separated by commas',
    default: 'daybook-operator',
  },
  DAYBOOK_OIDC_READERS: {
    says: 'values of that claim that make a reader, separated by commas; nobody else gets in',
    default: 'daybook-reader',
  },
  DAYBOOK_CALLBACK_REFUSALS_PER_MINUTE: {
    says: 'how many refused callbacks an address may send before it is told to wait; 0: any number; loopback is never limited',
    default: '600',
  },
  DAYBOOK_CALLBACK_MAX_BYTES: { says: 'the largest callback that is taken', default: '262144' },
  DAYBOOK_CALLBACK_MAX_AGE_SECONDS: {
    says: 'how old a signed callback may be for its link to be used; an older one is kept and the report polled',
    default: '300',
  },
  DAYBOOK_API_TIMEOUT_SECONDS: { says: 'how long an API call may take', default: '30' },
  DAYBOOK_SWEEP_SECONDS: { says: 'how often `daybook serve` looks for unfinished reports', default: '60' },
  DAYBOOK_POLL_FIRST_SECONDS: {
    says: 'when a report is first polled after it was asked for, until the account has shown how long its reports take',
    default: '120',
  },
  DAYBOOK_POLL_SECONDS: { says: 'the least time between two polls of one report', default: '60' },
  DAYBOOK_EXPIRED_HOURS: {
    says: 'how long the provider must have said that a link has run out before the report has ended',
    default: '1',
  },
  DAYBOOK_ABSENT_HOURS: {
    says: 'how long the provider may not know a report before it is given up',
    default: '24',
  },
  DAYBOOK_ABANDON_DAYS: {
    says: 'how long the provider may be at work on a report before it is given up',
    default: '30',
  },
  DAYBOOK_EVENT_BUS: {
    says: 'name or ARN of the EventBridge bus that the Lambda handlers tell of published days; unset: none',
  },
  DAYBOOK_LOG_LEVEL: { says: 'debug, info, warn, error or silent', default: 'info' },
} as const satisfies Record<string, Variable>

export type VariableName = keyof typeof VARIABLES
export type Env = Readonly<Record<string, string | undefined>>

/** The process's environment. An empty variable counts as not set. */
export function readEnv(): Env {
  return Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
}
