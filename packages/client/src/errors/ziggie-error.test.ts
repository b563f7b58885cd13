import { errorKinds } from '@ziggie/llm-protocol';
import { expect, test, vi } from 'vitest';
import {
  AbortedError,
  ConnectionError,
  HttpError,
  isZiggieError,
  StreamError,
  TimeoutError,
  ZiggieError,
} from '../index.ts';
import { withCallDetails } from './ziggie-error.ts';

const all = [
  new ZiggieError('bad_request', 'm'),
  new ConnectionError('m'),
  new TimeoutError('idle', 60_000),
  new HttpError('server_busy', 'm', { status: 503 }),
  new StreamError('truncated', 'm', { receivedEvents: 2 }),
  new AbortedError('reason'),
];

test.each(all.map((error) => [error.name, error] as const))('isZiggieError() knows a %s', (_, error) => {
  expect(isZiggieError(error)).toBe(true);
  expect(error).toBeInstanceOf(ZiggieError);
  expect(error).toBeInstanceOf(Error);
});

test('isZiggieError() knows an error of a second copy of this package', async () => {
  vi.resetModules();
  const copy = await import('../index.ts');
  const error = new copy.HttpError('server_busy', 'm', { status: 503 });
  expect(error).not.toBeInstanceOf(ZiggieError);
  expect(isZiggieError(error)).toBe(true);
});

test.each([undefined, null, 'ZiggieError', new Error('m'), { code: 'aborted', name: 'ZiggieError' }])(
  'isZiggieError(%s) is false',
  (value) => {
    expect(isZiggieError(value)).toBe(false);
  },
);

test('names and codes do not depend on how the code was minified', () => {
  expect(all.map(({ name, code }) => `${name} ${code}`)).toEqual([
    'ZiggieError bad_request',
    'ConnectionError connect_failed',
    'TimeoutError idle_timeout',
    'HttpError server_busy',
    'StreamError truncated',
    'AbortError aborted',
  ]);
});

test('retryable is what the error table says, unless the maker knows better', () => {
  for (const code of Object.keys(errorKinds) as (keyof typeof errorKinds)[]) {
    expect(new ZiggieError(code, 'm').retryable).toBe(errorKinds[code].retryable);
  }
  expect(new ZiggieError('server_busy', 'm', { retryable: false }).retryable).toBe(false);
});

test.each([
  ['connect', 'connect_timeout', 'connectMs'],
  ['load', 'load_timeout', 'loadMs'],
  ['first-token', 'first_token_timeout', 'firstTokenMs'],
  ['idle', 'idle_timeout', 'idleMs'],
  ['total', 'deadline_exceeded', 'totalMs'],
] as const)('TimeoutError of phase %s is %s and names timeouts.%s', (phase, code, setting) => {
  const error = new TimeoutError(phase, 1_500);
  expect(error).toMatchObject({ phase, code, afterMs: 1_500 });
  expect(error.message).toContain('1500 ms');
  expect(error.message).toContain(`timeouts.${setting}`);
});

test('toJSON() is safe to log: no partial answer, no cause, no stack', () => {
  const error = withCallDetails(
    new HttpError('server_busy', 'POST /chat answered 503: busy', {
      status: 503,
      requestId: 'req-1',
      retryAfterMs: 5,
      cause: new Error('SECRET cause'),
      signinUrl: 'https://SECRET',
    }),
    {
      attempts: [{ number: 1, status: 503, code: 'server_busy', durationMs: 1 }],
      partial: { text: 'SECRET answer', thinking: 'SECRET thought', toolCalls: [] },
      phase: 'stream',
    },
  );
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    name: 'HttpError',
    code: 'server_busy',
    message: 'POST /chat answered 503: busy',
    status: 503,
    retryable: true,
    requestId: 'req-1',
    phase: 'stream',
    retryAfterMs: 5,
    retryAt: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
    attempts: [{ number: 1, status: 503, code: 'server_busy', durationMs: 1 }],
  });
});
