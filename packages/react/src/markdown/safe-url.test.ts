import { describe, expect, it } from 'vitest';
import { hostOf, safeUrl } from './safe-url.ts';

describe('safeUrl()', () => {
  it.each(['https://example.com/a?b#c', 'HTTP://example.com', 'mailto:a@example.com', 'tel:+41', '#part'])(
    'lets %s pass',
    (url) => expect(safeUrl(url)).toBe(url),
  );
  it.each([
    'javascript:alert(1)',
    'java\tscript:alert(1)',
    ' https://example.com',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://example.com/x',
    'file:///etc/passwd',
    '//example.com',
    '/path',
    'page.html',
    'https://',
    'https://evil.example">',
    '\\\\example.com',
    '#',
    '',
  ])('refuses %j', (url) => expect(safeUrl(url)).toBeUndefined());
});

describe('hostOf()', () => {
  it('gives the host as it is asked, so that look-alike letters show', () => {
    expect(hostOf('https://exаmple.com/x')).toMatch(/^xn--/);
  });
  it.each(['data:image/png;base64,AA', '/a.png', 'https://'])('knows none for %j', (url) =>
    expect(hostOf(url)).toBeUndefined(),
  );
});
