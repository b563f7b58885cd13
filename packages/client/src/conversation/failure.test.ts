import { expect, it } from 'vitest';
import { ZiggieError } from '../errors/ziggie-error.ts';
import { toTurnFailure } from './failure.ts';

it('toTurnFailure() keeps what a view needs, as plain data', () => {
  const error = new ZiggieError('rate_limited', 'Wait.', {
    status: 429,
    requestId: 'req_1',
    retryAfterMs: 1500,
  });
  expect(toTurnFailure(error, 1000)).toStrictEqual({
    code: 'rate_limited',
    message: 'Wait.',
    status: 429,
    retryable: true,
    requestId: 'req_1',
    retryAt: 2500,
  });
  expect(toTurnFailure(new ZiggieError('forbidden', 'No.'), 0)).toStrictEqual({
    code: 'forbidden',
    message: 'No.',
    retryable: false,
  });
});

it('toTurnFailure() does not repeat the words of a foreign error', () => {
  const failure = toTurnFailure(new RangeError('token canary-4711'), 0);
  expect(failure).toMatchObject({ code: 'internal_error', message: expect.stringContaining('RangeError') });
  expect(JSON.stringify(failure)).not.toContain('canary');
  expect(toTurnFailure('canary', 0).message).toContain('string');
});
