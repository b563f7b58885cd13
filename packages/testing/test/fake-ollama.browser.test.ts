import { expect, it } from 'vitest';
import { createFakeOllama, createManualClock, say, stall } from '../src/index.ts';

const chat = (fake: ReturnType<typeof createFakeOllama>, init: RequestInit = {}) =>
  fake.fetch('http://127.0.0.1:11434/api/chat', {
    method: 'POST',
    body: JSON.stringify({ model: 'stand-in', messages: [{ role: 'user', content: 'hi' }] }),
    ...init,
  });

it('the stand-in runs in a browser, without a server', async () => {
  const fake = createFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
  const lines = (await (await chat(fake)).text()).trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ done: true, eval_count: lines.length - 1 });
  expect((await fake.fetch('/api/version')).status).toBe(200);
});

it('an abort frees the slot in a browser', async () => {
  const fake = createFakeOllama({ clock: createManualClock() });
  fake.script([stall(), say('never')]);
  const leaving = new AbortController();
  const answer = chat(fake, { signal: leaving.signal }).catch((cause: Error) => cause.name);
  await fake.waitFor((report) => report.openGenerations === 1);
  leaving.abort();
  expect(await answer).toBe('AbortError');
  await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
});
