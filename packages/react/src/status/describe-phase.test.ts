import type { RunPhase } from '@ziggie/llm-client/conversation';
import { describe, expect, it } from 'vitest';
import { createFormat } from '../text/format.ts';
import { defaultStrings } from '../text/strings.ts';
import { describePhase, loadProgress, roundEta } from './describe-phase.ts';
import { paceDelayMs } from './use-paced.ts';

const text = { strings: defaultStrings, format: createFormat('en') };
const words = (phase: RunPhase, now = 10_000) => {
  const { label, detail } = describePhase(phase, now, text);
  return `${label} | ${detail}`.replace(/\u00a0/g, ' ');
};

describe('describePhase()', () => {
  it.each<[RunPhase, string]>([
    [{ kind: 'queued', position: 3, of: 5, etaMs: 11_200 }, 'Third in line | about 12 s, 5 waiting'],
    [{ kind: 'queued', position: 1, of: 5, etaMs: null }, 'You are next | '],
    [{ kind: 'queued', position: 1_200, of: 1_200, etaMs: null }, 'Number 1,200 in line | '],
    [{ kind: 'connecting' }, 'Connecting | '],
    [
      { kind: 'loading', model: 'qwen3:14b', startedAt: 3_000, typicalMs: 11_000 },
      'Loading qwen3:14b into memory | 7 s, usually 11 s',
    ],
    [{ kind: 'loading', model: 'm', startedAt: 3_000, typicalMs: null }, 'Loading m into memory | 7 s'],
    [{ kind: 'reading', startedAt: 0 }, 'Reading the conversation | '],
    [{ kind: 'thinking', startedAt: 6_000 }, 'Thinking | 4 s'],
    [{ kind: 'tool', callId: '1', name: 'search' }, 'Using search | '],
    [{ kind: 'writing', startedAt: 0, tokens: 61, tokensPerSecond: 38.2 }, 'Writing | 38 tok/s, 61 tokens'],
    [{ kind: 'writing', startedAt: 0, tokens: 1, tokensPerSecond: null }, 'Writing | 1 token'],
    [
      { kind: 'reconnecting', attempt: 2, maxAttempts: 5, nextTryAt: 0 },
      'Connection lost, picking up where it stopped | try 2 of 5',
    ],
    [{ kind: 'stopping' }, 'Stopping | '],
  ])('puts %j into words', (phase, expected) => expect(words(phase)).toBe(expected));
});

describe('the tokens of a run', () => {
  const count = (phase: RunPhase, counts: object) => {
    const { label, detail, canTryNow } = describePhase(phase, 10_000, text, counts);
    return { label, detail, canTryNow };
  };
  it('stand beside reading and reconnecting, and are called rough', () => {
    expect(count({ kind: 'reading', startedAt: 0 }, { prompt: 3_214.4 })).toMatchObject({
      label: 'Reading',
      detail: 'about 3,214 tokens',
    });
    expect(
      count({ kind: 'reconnecting', attempt: 2, maxAttempts: null, nextTryAt: 12_000 }, { kept: 182 }),
    ).toEqual({
      label: 'Connection lost, picking up where it stopped',
      detail: 'try 2, about 182 tokens kept',
      canTryNow: true,
    });
  });
  it('a try that is being made cannot be made sooner', () => {
    const phase: RunPhase = { kind: 'reconnecting', attempt: 1, maxAttempts: null, nextTryAt: 10_000 };
    expect(count(phase, {}).canTryNow).toBe(false);
  });
});

describe('loadProgress()', () => {
  it('never reaches the end, and never goes back', () => {
    let before = 0;
    for (let elapsed = 0; elapsed <= 600_000; elapsed += 500) {
      const now = loadProgress(elapsed, 11_000) ?? 2;
      expect(now).toBeGreaterThanOrEqual(before);
      expect(now).toBeLessThan(1);
      before = now;
      if (elapsed > 60_000) break;
    }
  });
  it('is unknown without a usual time', () => expect(loadProgress(5_000, null)).toBeNull());
});

describe('roundEta()', () => {
  it.each([
    [300, 1_000],
    [11_200, 12_000],
    [41_000, 45_000],
    [61_000, 90_000],
  ])('rounds %i up to %i', (eta, rounded) => expect(roundEta(eta)).toBe(rounded));
});

describe('paceDelayMs()', () => {
  it('lets 400 ms pass between two changes', () => {
    expect([paceDelayMs(1_000, 1_100), paceDelayMs(1_000, 1_400), paceDelayMs(1_000, 9_000)]).toEqual([
      300, 0, 0,
    ]);
  });
});
