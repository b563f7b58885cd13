import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacKey, hmacSha256 } from './hmac-sha256.ts';

test('is what Node gives, for secrets shorter and longer than a block and any text', () => {
  const secret = fc.uint8Array({ minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(secret, fc.string({ unit: 'binary', maxLength: 300 }), (pepper, text) => {
      const expected = createHmac('sha256', pepper).update(text).digest();
      expect(hmacSha256(hmacKey(pepper), text)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

// RFC 4231, test cases 2 and 6.
test.each([
  [
    Buffer.from('Jefe'),
    'what do ya want for nothing?',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    Buffer.alloc(131, 0xaa),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
])('gives the vectors of RFC 4231', (secret, text, expected) => {
  expect(hmacSha256(hmacKey(secret), text).toString('hex')).toBe(expected);
});
