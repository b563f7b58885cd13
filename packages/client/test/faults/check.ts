import { faults } from '@ziggie/llm-testing';
import { expect } from 'vitest';
import { expectedOf } from './expected.ts';
import { play, type Wire } from './play.ts';

/** Plays one fault over one wire, and holds it against what must come of it. */
export async function check(id: string, variant: string, wire: Wire): Promise<void> {
  const info = faults.find((fault) => fault.id === id);
  const wanted = expectedOf(id, variant, wire);
  if (!info || !wanted) throw new Error(`Nothing is expected of ${id} ${variant}.`);
  const { result, error, shown, requests, noise, left } = await play(id, variant, wire, wanted.options ?? {});
  const text = wanted.text ?? info.partial;
  expect(noise, 'console and unhandled rejections').toEqual([]);
  expect(left, 'answers that go on').toBe(0);
  if (text === '*') expect(shown).not.toBe('');
  else if (id !== 'F051') expect(shown).toBe(text);
  expect(error?.code).toBe(wanted.code);
  if (wanted.code === undefined) {
    expect(result?.text).toBe(shown);
    for (const count of [result?.usage?.inputTokens, result?.usage?.outputTokens]) {
      expect(Number.isSafeInteger(count) || count === undefined).toBe(true);
    }
    return;
  }
  expect(error).toMatchObject({
    retryable: expect.any(Boolean),
    phase: expect.stringMatching(/^(?:connect|load|first-token|stream|idle|total)$/),
    partial: { text: shown, toolCalls: [] },
  });
  expect(error?.message.length).toBeGreaterThan(30);
  expect(error?.message).not.toMatch(/undefined|\[object|What is it\?/);
  expect(error?.attempts).toHaveLength(wanted.tries ?? 1);
  // Where nothing was accepted there is nothing to see on the other side.
  if (requests > 0) expect(requests).toBe(wanted.tries ?? 1);
}
