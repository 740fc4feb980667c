import { describe, expect, it } from 'vitest'
import { findFault } from '../../src/domain/errors.ts'
import {
  checkAddress,
  checkLink,
  forbiddenHost,
  isAllowedHost,
  isPrivateAddress,
} from '../../src/providers/download-policy.ts'

const passes = (link: string, ...allowed: string[]) => {
  try {
    return checkLink(link, allowed).href !== ''
  } catch (error) {
    expect(error).toMatchObject({ code: 'download-refused', retry: false })
    return false
  }
}

describe('an allowed host', () => {
  it.each([
    ['exactly', 'https://files.example.com/a', 'files.example.com'],
    ['in capitals in the link', 'https://FILES.Example.COM/a', 'files.example.com'],
    ['in capitals in the setting', 'https://files.example.com/a', 'Files.Example.Com'],
    ['below a wildcard', 'https://files.example.com/a', '*.example.com'],
    ['far below a wildcard', 'https://a.b.c.example.com/a', '*.example.com'],
    ['in capitals below a wildcard', 'https://A.EXAMPLE.com/a', '*.Example.com'],
    ['with a port', 'https://files.example.com:8443/a', 'files.example.com:8443'],
    ['with a port below a wildcard', 'https://files.example.com:8443/a', '*.example.com:8443'],
    ['with the port of https in the link', 'https://files.example.com:443/a', 'files.example.com'],
    ['with the port of https in the setting', 'https://files.example.com/a', 'files.example.com:443'],
    ['with the port of https in both', 'https://files.example.com:443/a', 'files.example.com:443'],
    ['in Punycode', 'https://xn--bcher-kva.example.com/a', 'xn--bcher-kva.example.com'],
    ['in letters that are Punycode', 'https://bücher.example.com/a', 'xn--bcher-kva.example.com'],
    ['with full stops of another script', 'https://files。example．com/a', 'files.example.com'],
    ['with a public address', 'https://8.8.8.8/a', '8.8.8.8'],
    ['with a public address of version 6', 'https://[2606:4700::1111]/a', '[2606:4700::1111]'],
    ['among others', 'https://files.example.com/a', 'a.example.net'],
  ])('passes %s: %s', (name, link, pattern) => {
    expect(passes(link, ...(name === 'among others' ? [pattern, 'files.example.com', 'b'] : [pattern]))).toBe(
      true,
    )
  })

  it.each([
    ['the host is another', 'https://files.example.net/a', 'files.example.com'],
    ['the host ends alike', 'https://evilfiles.example.com/a', 'files.example.com'],
    ['the host goes on', 'https://files.example.com.evil.net/a', 'files.example.com'],
    ['the host is below an exact one', 'https://a.files.example.com/a', 'files.example.com'],
    ['the host is what the wildcard hangs on', 'https://example.com/a', '*.example.com'],
    ['the host ends alike without a dot', 'https://evilexample.com/a', '*.example.com'],
    ['the wildcard is in the host', 'https://*.example.com/a', 'files.example.com'],
    ['a dot stands behind the host', 'https://files.example.com./a', 'files.example.com'],
    ['a dot stands behind a host below a wildcard', 'https://files.example.com./a', '*.example.com'],
    ['a dot of the pattern is another letter', 'https://filesxexample.com/a', 'files.example.com'],
    ['the port is another', 'https://files.example.com:8443/a', 'files.example.com'],
    ['the port is missing', 'https://files.example.com/a', 'files.example.com:8443'],
    ['the port is that of http', 'https://files.example.com:80/a', 'files.example.com'],
    ['a letter is of another script', 'https://files.exаmple.com/a', 'files.example.com'],
    ['the host is in the path', 'https://evil.net/files.example.com', 'files.example.com'],
    ['the host is in the query', 'https://evil.net?files.example.com', 'files.example.com'],
    ['the host is in the fragment', 'https://evil.net#files.example.com', '*.example.com'],
    ['the host is in the user name', 'https://files.example.com@evil.net/a', 'files.example.com'],
    [
      'the host is in the user name, behind a backslash',
      'https://evil.net\\@files.example.com/a',
      'files.example.com',
    ],
    ['nothing is allowed', 'https://files.example.com/a', ''],
  ])('refuses when %s: %s', (_, link, pattern) => {
    expect(passes(link, pattern)).toBe(false)
  })

  it.each([
    'https://user@files.example.com/a',
    'https://user:password@files.example.com/a',
    'https://:password@files.example.com/a',
  ])('refuses credentials, and does not repeat them: %s', link => {
    expect(() => checkLink(link, ['files.example.com'])).toThrow('The download link carries credentials.')
  })

  it('is named in the refusal with the setting, and nothing else of the link is', () => {
    expect(() => checkLink('https://evil.net/path?signature=planted', ['files.example.com'])).toThrow(
      expect.objectContaining({
        message:
          'The download host evil.net is not allowed; if it is right, add it to DAYBOOK_DOWNLOAD_HOSTS.',
        details: { host: 'evil.net', setting: 'DAYBOOK_DOWNLOAD_HOSTS' },
      }),
    )
  })
})

describe('the scheme', () => {
  it.each(['http', 'ftp', 'ws', 'wss'])('is refused when it is %s', scheme => {
    expect(passes(`${scheme}://files.example.com/a`, 'files.example.com', 'files.example.com:80')).toBe(false)
  })

  it.each([
    '',
    'x',
    '/a',
    '//files.example.com/a',
    'file:///etc/passwd',
    'data:,x',
    'javascript:0',
    'https://',
    'blob:https://files.example.com/a',
  ])('is refused when the link is %s', link => expect(passes(link, 'files.example.com', '')).toBe(false))

  it.each([
    ['http://127.0.0.1:4600/a', '127.0.0.1:4600'],
    ['https://127.0.0.1:4600/a', '127.0.0.1:4600'],
    ['http://127.1.2.3:4600/a', '127.1.2.3:4600'],
    ['http://localhost:4600/a', 'localhost:4600'],
    ['http://[::1]:4600/a', '[::1]:4600'],
    ['http://127.0.0.1/a', '127.0.0.1'],
    ['http://127.0.0.1/a', '127.0.0.1:80'],
  ])('may be http to loopback when it is named itself: %s', (link, pattern) => {
    expect(passes(link, pattern)).toBe(true)
  })

  it.each([
    ['http://127.0.0.1:4600/a', 'localhost:4600'],
    ['http://127.0.0.1:4601/a', '127.0.0.1:4600'],
    ['http://127.0.0.2:4600/a', '127.0.0.1:4600'],
    ['http://127.0.0.1:4600/a', '*.0.0.1:4600'],
    ['https://127.0.0.1/a', '*.1'],
    ['http://sub.localhost:4600/a', 'sub.localhost:4600'],
    ['http://localhost.:4600/a', 'localhost:4600'],
    ['http://10.0.0.1:4600/a', '10.0.0.1:4600'],
    ['http://[::ffff:127.0.0.1]:4600/a', '[::ffff:7f00:1]:4600'],
  ])('may not be http to %s by %s', (link, pattern) => {
    expect(passes(link, pattern)).toBe(false)
  })

  it.each([
    '0x7f.1',
    '2130706433',
    '127.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '１２７.0.0.1',
    '%31%32%37.0.0.1',
  ])('sees loopback in the notation %s, and takes it only where loopback is named', notation => {
    const link = `http://${notation}:4600/a`
    expect(passes(link, '127.0.0.1:4600')).toBe(true)
    expect(checkLink(link, ['127.0.0.1:4600']).hostname).toBe('127.0.0.1')
    expect(passes(link, 'files.example.com', '*.example.com', `${notation.toLowerCase()}x:4600`)).toBe(false)
  })
})

describe('an address', () => {
  const range = (first: string, last: string, before: string | null, after: string | null) =>
    [first, last, before, after] as const

  it.each([
    range('0.0.0.0', '0.255.255.255', null, '1.0.0.0'),
    range('10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'),
    range('100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'),
    range('127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'),
    range('169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'),
    range('172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'),
    range('192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'),
    range('192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'),
    range('192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'),
    range('192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'),
    range('198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'),
    range('198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'),
    range('203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'),
    range('224.0.0.0', '255.255.255.255', '223.255.255.255', null),
    range('::', '1fff:ffff::', null, '2000::'),
    range('2001::', '2001:1ff:ffff::', '2000:ffff::', '2001:200::'),
    range('2001:db8::', '2001:db8:ffff::', '2001:db7:ffff::', '2001:db9::'),
    range('2002::', '2002:ffff::', '2001:ffff::', '2003::'),
    range('4000::', 'ffff:ffff::', '3ffe:ffff::', null),
  ])('from %s to %s is private, and those beside it are not', (first, last, before, after) => {
    expect([first, last].map(isPrivateAddress)).toEqual([true, true])
    for (const beside of [before, after]) if (beside !== null) expect(isPrivateAddress(beside)).toBe(false)
  })

  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '52.216.0.1',
    '13.32.0.1',
    '2606:4700:4700::1111',
    '2600:9000::1',
    '2a05:d000::1',
  ])('of the public internet is public: %s', address => expect(isPrivateAddress(address)).toBe(false))

  it.each([
    ['loopback', '::1'],
    ['loopback mapped into version 6', '::ffff:127.0.0.1'],
    ['the same in hex', '::ffff:7f00:1'],
    ['the metadata service', '169.254.169.254'],
    ['the metadata service mapped', '::ffff:169.254.169.254'],
    ['the metadata service of version 6', 'fd00:ec2::254'],
    ['a public one mapped, which nobody has', '::ffff:8.8.8.8'],
    ['translated', '64:ff9b::7f00:1'],
    ['tunnelled through 6to4', '2002:7f00:1::'],
    ['tunnelled through Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['of the link', 'fe80::1'],
    ['of the link, with its zone', 'fe80::1%eth0'],
    ['unique local', 'fc00::1'],
    ['multicast', 'ff02::1'],
    ['no address', 'localhost'],
    ['an odd notation that a look-up never gives', '127.1'],
    ['nothing', ''],
  ])('is private: %s', (_, address) => {
    expect(isPrivateAddress(address)).toBe(true)
    expect(() => checkAddress(address, 'files.example.com')).toThrow(
      expect.objectContaining({ code: 'download-refused', details: { host: 'files.example.com' } }),
    )
  })

  it('that is public passes', () => {
    expect(() => checkAddress('8.8.8.8', 'files.example.com')).not.toThrow()
  })
})

describe('a host, without a link', () => {
  it.each([
    ['files.example.com', '*.example.com', true],
    ['files.example.com', 'files.example.com:443', true],
    ['files.example.com:8443', 'files.example.com:8443', true],
    ['files.example.com:8443', 'files.example.com', false],
    ['127.0.0.1:4600', '127.0.0.1:4600', true],
    ['evil.net', '*.example.com', false],
    ['', '*.example.com', false],
    ['not a host', '*.example.com', false],
  ])('%s is allowed by %s: %s', (host, pattern, allowed) => {
    expect(isAllowedHost(host, [pattern])).toBe(allowed)
  })

  it('is what keeps a download only where allowing it would help', () => {
    const forbidden = (check: () => unknown) => {
      try {
        check()
      } catch (error) {
        return forbiddenHost(findFault(error)!)
      }
      throw new Error('nothing was refused')
    }
    expect(forbidden(() => checkLink('https://evil.net/a', ['files.example.com']))).toBe('evil.net')
    expect(forbidden(() => checkLink('http://evil.net/a', ['evil.net:80']))).toBeUndefined()
    expect(forbidden(() => checkAddress('10.0.0.1', 'evil.net'))).toBeUndefined()
  })
})
