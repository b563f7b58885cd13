import { type ErrorCode, errorKinds } from '@ziggie/llm-protocol';
import { describe, expect, it } from 'vitest';
import { createFormat } from '../text/format.ts';
import { defaultStrings } from '../text/strings.ts';
import { describeFailure } from './describe-failure.ts';

const text = { strings: defaultStrings, format: createFormat('en') };
const of = (code: string, retryAt?: number) =>
  describeFailure({ code, message: 'inner words', retryable: true, retryAt }, 'qwen3:14b', 1_000, text);

describe('describeFailure()', () => {
  it.each(Object.keys(errorKinds) as ErrorCode[])('has a title and a line of our own for %s', (code) => {
    const { title, line } = of(code);
    expect(title).not.toBe('');
    expect(`${title}${line}`).not.toContain('inner words');
  });

  it.each([
    ['unauthorized', 'sign-in'],
    ['forbidden', 'none'],
    ['model_not_found', 'pick-model'],
    ['context_overflow', 'pick-model'],
    ['rate_limited', 'retry'],
    ['server_busy', 'retry'],
    ['truncated', 'retry'],
    ['quota_exceeded', 'none'],
    ['bad_request', 'none'],
    ['code_of_a_newer_server', 'retry'],
  ])('offers for %s: %s', (code, action) => expect(of(code).action).toBe(action));

  it('counts down to the second, then lets the action go', () => {
    expect(of('rate_limited', 13_400)).toMatchObject({ waitMs: 12_400, tone: 'warn' });
    expect(of('rate_limited', 13_400).line.replace(/\u00a0/g, ' ')).toBe('You can try again in 13 s.');
    expect(of('rate_limited', 900)).toMatchObject({ waitMs: 0, line: 'You can try again now.' });
  });
});
