/** Where files may be fetched from: named hosts, https, and no address of a private network. */
import { BlockList, isIP } from 'node:net'
import { DaybookError } from '../domain/errors.ts'

/**
 * A host that may be fetched from: `files.example.com`, `*.example.com` (any host below it), each with an
 * optional `:port`. An entry that names the loopback address itself (`127.0.0.1:4600`, `localhost:4600`)
 * also allows plain http to it; that is meant for the sandbox.
 */
export type HostPattern = string

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Answers `link` as a URL when it may be fetched. Throws `download-refused`, naming the host and the setting. */
export function checkLink(link: string, allowed: readonly HostPattern[]): URL {
  const url = URL.canParse(link) ? new URL(link) : undefined
  if (url === undefined) throw refused('The download link is not a URL.', '')
  if (url.username !== '' || url.password !== '')
    throw refused('The download link carries credentials.', url.host)
  if (!allowed.some(pattern => matches(pattern, url))) {
    const says = `The download host ${url.host} is not allowed; if it is right, add it to DAYBOOK_DOWNLOAD_HOSTS.`
    const details = { host: url.host, setting: 'DAYBOOK_DOWNLOAD_HOSTS' }
    throw new DaybookError('download-refused', says, { details })
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url))) return url
  throw refused(`The download link to ${url.host} is not https.`, url.host)
}

/** The host that nobody allows, if that is why a download was refused: allowing it is all that can help. */
export function forbiddenHost(error: DaybookError): string | undefined {
  const { host, setting } = error.details
  return error.code === 'download-refused' && typeof host === 'string' && setting !== undefined
    ? host
    : undefined
}

/** Whether `host`, which may name its port, is one of those that are allowed. */
export function isAllowedHost(host: string, allowed: readonly HostPattern[]): boolean {
  return ['https', 'http'].some(scheme => {
    const url = `${scheme}://${host}/`
    return URL.canParse(url) && allowed.some(pattern => matches(pattern, new URL(url)))
  })
}

/** Whether a URL names the loopback address itself, which only an entry of its own can allow. */
export function isLoopbackHost(url: URL): boolean {
  return LOOPBACK.test(url.hostname)
}

function matches(pattern: HostPattern, url: URL): boolean {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(pattern.toLowerCase()) ?? []
  if (port !== url.port && port !== portOf(url)) return false
  return name.startsWith('*.')
    ? url.hostname.endsWith(name.slice(1)) && !LOOPBACK.test(url.hostname)
    : url.hostname === name
}

/** The port of a URL, also when it is the one that its scheme implies. */
function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80')
}

// Two lists, because a list of both takes an IPv4 address for the IPv6 address that it is mapped to.
const PRIVATE_V4 = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  PRIVATE_V4.addSubnet(network, prefix, 'ipv4')
}
const PRIVATE_V6 = new BlockList()
// Only global unicast (2000::/3) is public, without its tunnels, which can carry a private IPv4 address.
for (const [network, prefix] of [
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['4000::', 2],
  ['8000::', 1],
] as const) {
  PRIVATE_V6.addSubnet(network, prefix, 'ipv6')
}

/** Whether an address is not one of the public internet. IPv4 inside IPv6 counts as not public. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return PRIVATE_V4.check(address, 'ipv4')
  return family === 0 || PRIVATE_V6.check(address, 'ipv6')
}

/** Throws `download-refused` when a host's address is private: the link may be forged to reach inside. */
export function checkAddress(address: string, host: string): void {
  if (!isPrivateAddress(address)) return
  throw refused(`The download host ${host} has the private address ${address}.`, host)
}

function refused(message: string, host: string): DaybookError {
  return new DaybookError('download-refused', message, { details: { host } })
}
