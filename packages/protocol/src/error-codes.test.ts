import { describe, expect, it } from 'vitest';
import { errorCodeForStatus, errorKinds, isErrorCode } from './error-codes.ts';
import { isProblem, problemOf } from './problem.ts';
import { isRetryable } from './retryable.ts';
import { isStreamEvent, isTerminal } from './stream-event.ts';

describe('the error table', () => {
  it('only the limits of the caller are 429', () => {
    const codes = Object.entries(errorKinds).filter(([, kind]) => kind.status === 429);
    expect(codes.map(([code]) => code).sort()).toEqual([
      'quota_exceeded',
      'rate_limited',
      'too_many_in_flight',
    ]);
  });

  it('no mistake of the caller is worth a retry', () => {
    for (const [code, kind] of Object.entries(errorKinds)) {
      if (kind.status >= 400 && kind.status < 429) expect([code, kind.retryable]).toEqual([code, false]);
    }
  });

  it('isRetryable() says what the table says', () => {
    for (const [code, kind] of Object.entries(errorKinds)) {
      expect([code, isRetryable(code as keyof typeof errorKinds)]).toEqual([code, kind.retryable]);
    }
  });

  it('knows its own codes and nothing inherited', () => {
    expect(isErrorCode('truncated')).toBe(true);
    for (const foreign of ['toString', '__proto__', 'nope', 7, null])
      expect(isErrorCode(foreign)).toBe(false);
  });

  it.each([
    [400, 'bad_request'],
    [401, 'unauthorized'],
    [418, 'bad_request'],
    [429, 'rate_limited'],
    [503, 'server_busy'],
    [504, 'first_token_timeout'],
    [599, 'upstream_error'],
  ])('a bare %i is %s', (status, code) => {
    expect(errorCodeForStatus(status)).toBe(code);
  });
});

describe('problemOf()', () => {
  it('makes what isProblem() accepts, through JSON', () => {
    const problem = problemOf('rate_limited', 'Wait.', 'req_1', { retryAfterMs: 1500 });
    expect(problem).toMatchObject({
      status: 429,
      retryable: true,
      type: 'urn:ziggie:error:rate_limited',
      retryAfterMs: 1500,
    });
    expect(isProblem(JSON.parse(JSON.stringify(problem)))).toBe(true);
  });

  it('isProblem() refuses foreign problems', () => {
    for (const body of [null, 'x', {}, { code: 'nope', status: 400, detail: 'x' }, { code: 'truncated' }]) {
      expect(isProblem(body)).toBe(false);
    }
  });
});

describe('isStreamEvent()', () => {
  it('wants a known type and an integer number', () => {
    expect(isStreamEvent({ type: 'text-delta', text: 'x', seq: 0 })).toBe(true);
    for (const record of [
      null,
      [],
      { type: 'text-delta' },
      { type: 'nope', seq: 1 },
      { type: 'done', seq: '1' },
      { seq: 1 },
    ]) {
      expect(isStreamEvent(record)).toBe(false);
    }
  });

  it('isTerminal() holds for done and error alone', () => {
    expect(isTerminal({ type: 'done', finishReason: 'stop', timings: {} })).toBe(true);
    expect(isTerminal({ type: 'text-delta', text: '' })).toBe(false);
  });
});
