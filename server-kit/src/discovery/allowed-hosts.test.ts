import { describe, expect, test } from 'vitest';
import { AllowedHosts, isAllowEntry, privateNetworks } from './allowed-hosts.ts';

const mayHave = (entries: readonly string[], url: string) => new AllowedHosts(entries).mayHave(new URL(url));

describe('isAllowEntry()', () => {
  test.each(['10.0.0.0/8', '10.1.2.3', 'fd00::/8', '::1', 'gpu-1', '*.gpu.internal', '_x._tcp.a', 'a.b.'])(
    '%s is one',
    (entry) => expect(isAllowEntry(entry)).toBe(true),
  );
  test.each([
    '0.0.0.0/0',
    '0.0.0.0/7',
    '::/0',
    '10.0.0.0/33',
    '10.0.0/8',
    '*',
    '*.',
    'a/8',
    'http://a',
    '',
    'a b',
    '10.0.0.1/8/8',
    '10.0.0.1/',
    '1.2.3',
    '-a',
  ])('%j is none', (entry) => expect(isAllowEntry(entry)).toBe(false));
});

describe('AllowedHosts', () => {
  test.each([
    ['http://10.2.3.4:11434', true],
    ['http://192.168.1.9', true],
    ['http://[fd12::1]:1', true],
    ['http://8.8.8.8', false],
    ['http://127.0.0.1:6379', false],
    ['http://[::1]:6379', false],
    ['http://169.254.169.254', false],
    ['http://[fd00:ec2::254]', false],
    ['http://[::ffff:169.254.169.254]', false],
    ['http://[::ffff:127.0.0.1]', false],
    ['http://0.0.0.0', false],
    ['http://0x7f000001', false],
    ['http://2130706433', false],
    ['http://[fe80::1]', false],
    ['http://224.0.0.1', false],
    ['http://100.64.0.9', true],
    ['http://100.100.100.200', false],
    ['http://168.63.129.16', false],
  ])('private networks have %s: %s', (url, expected) => expect(mayHave(privateNetworks, url)).toBe(expected));

  test('what is never allowed is not, whatever is listed', () => {
    const wide = ['169.254.0.0/16', '224.0.0.0/8', 'metadata.internal'];
    expect(mayHave(wide, 'http://169.254.169.254')).toBe(false);
    expect(new AllowedHosts(wide).mayConnect('metadata.internal', '169.254.169.254')).toBe(false);
    expect(new AllowedHosts(wide).mayConnect('metadata.internal', '127.0.0.1')).toBe(false);
  });

  // Translated on the way (RFC 6052, RFC 8215, RFC 3056, RFC 4380): where they lead is the address within.
  test.each([
    ['64:ff9b::169.254.169.254', false],
    ['64:ff9b::a9fe:a9fe', false],
    ['64:ff9b::127.0.0.1', false],
    ['64:ff9b::100.100.100.200', false],
    ['64:ff9b::8.8.8.8', true],
    ['64:ff9b:1::a9fe:a9fe', false],
    ['2002:a9fe:a9fe::1', false],
    ['2002:7f00:1::', false],
    ['2001:0:1::', false],
    ['::a9fe:a9fe', false],
    ['::ffff:0:a9fe:a9fe', false],
    ['2600:1f18::1', true],
  ])('a name that is listed may lead to %s: %s', (address, expected) => {
    const allowed = new AllowedHosts(['*.gpu.internal']);
    expect(allowed.mayConnect('one.gpu.internal', address)).toBe(expected);
  });

  test('a name is judged by where it leads, unless it is listed', () => {
    const allowed = new AllowedHosts(['10.0.0.0/8', 'gpu-1', '*.gpu.internal']);
    expect(allowed.mayHave(new URL('http://anything.example'))).toBe(true);
    expect(allowed.mayConnect('anything.example', '93.184.215.14')).toBe(false);
    expect(allowed.mayConnect('anything.example', '10.0.0.9')).toBe(true);
    expect(allowed.mayConnect('GPU-1.', '93.184.215.14')).toBe(true);
    expect(allowed.mayConnect('a.gpu.internal', '93.184.215.14')).toBe(true);
    expect(allowed.mayConnect('gpu.internal', '93.184.215.14')).toBe(false);
    expect(allowed.mayConnect('evilgpu.internal', '93.184.215.14')).toBe(false);
    expect(allowed.mayConnect('gpu-1', 'not an address')).toBe(false);
  });

  test('loopback is there where it is listed', () => {
    expect(mayHave(['127.0.0.1'], 'http://127.0.0.1:11434')).toBe(true);
    expect(mayHave(['127.0.0.1'], 'http://127.0.0.2:11434')).toBe(false);
  });
});
