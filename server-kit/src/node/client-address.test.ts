import { describe, expect, test } from 'vitest';
import { addressResolver, canonicalAddress, type TrustProxy } from './client-address.ts';

describe('canonicalAddress()', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:203.0.113.7', '203.0.113.7'],
    ['0:0:0:0:0:ffff:cb00:7107', '203.0.113.7'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['', undefined],
    ['unknown', undefined],
    ['203.0.113.07', undefined],
    ['1.2.3', undefined],
  ])('gives one form for %j', (address, expected) => {
    expect(canonicalAddress(address)).toBe(expected);
  });
});

describe('addressResolver()', () => {
  const cases: [string, TrustProxy | undefined, string, string | undefined, string][] = [
    ['believes no header by default', undefined, '10.0.0.1', '203.0.113.7', '10.0.0.1'],
    ['believes no header of a stranger', ['10.0.0.0/8'], '198.51.100.9', '203.0.113.7', '198.51.100.9'],
    ['believes a listed proxy', ['10.0.0.0/8'], '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['believes a listed single address', ['10.0.0.1'], '::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['walks from the right', ['10.0.0.0/8'], '10.0.0.1', '6.6.6.6, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['ends at the first stranger', ['10.0.0.0/8'], '10.0.0.1', '10.9.9.9, 203.0.113.7', '203.0.113.7'],
    ['takes the last when all are trusted', ['10.0.0.0/8'], '10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
    ['knows IPv6 ranges', ['2001:db8:1::/48'], '2001:db8:1::5', '2001:DB8:2:0::9', '2001:db8:2::9'],
    ['does not mix up the families', ['a00::/8'], '10.0.0.1', '203.0.113.7', '10.0.0.1'],
    ['counts hops', 1, '10.0.0.1', '6.6.6.6, 203.0.113.7', '203.0.113.7'],
    ['counts two hops', 2, '10.0.0.1', '6.6.6.6, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['counts no hops', 0, '10.0.0.1', '203.0.113.7', '10.0.0.1'],
    ['takes the first of a chain that is too short', 3, '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['takes off ports', 1, '10.0.0.1', '203.0.113.7:51234', '203.0.113.7'],
    ['takes off brackets and ports', 1, '10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['takes off brackets', 1, '10.0.0.1', '[2001:db8::1]', '2001:db8::1'],
    ['stops at a word', 2, '10.0.0.1', '203.0.113.7, unknown', '10.0.0.1'],
    ['stops at an empty entry', 2, '10.0.0.1', '203.0.113.7,', '10.0.0.1'],
    ['stops at markup', 1, '10.0.0.1', '<script>', '10.0.0.1'],
    ['does without a header', 1, '10.0.0.1', undefined, '10.0.0.1'],
    ['counts a Unix socket', 1, '', '203.0.113.7', '203.0.113.7'],
    ['does not find a Unix socket in a list', ['127.0.0.1'], '', '203.0.113.7', ''],
  ];
  test.each(cases)('%s', (_name, trust, socket, header, expected) => {
    expect(addressResolver(trust)(socket, header)).toBe(expected);
  });

  test.each([
    true,
    false,
    'loopback',
    '10.0.0.0/8',
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    {},
    ['10.0.0.0/33'],
    ['0.0.0.0/0'],
    ['::/0'],
    ['::1/129'],
    ['10.0.0.0/'],
    ['10.0.0/8'],
    ['example.com'],
    [''],
    [10],
    ['fe80::1%eth0'],
  ])('refuses %j', (trust) => {
    expect(() => addressResolver(trust as unknown as TrustProxy)).toThrow(TypeError);
  });
});
