import type { StreamEvent } from '@ziggie/llm-protocol';
import { expect, test } from 'vitest';
import { type LinesBench, startLine, tokenOf } from '../queue/lines-bench.ts';
import { parseEvents, until } from '../stream-harness.ts';

const body = (text: string) => ({
  model: 'raw',
  messages: [{ role: 'user', content: text }],
  options: { temperature: 0 },
});

/** A stream that is read to its end, with what has come so far. */
async function reading(bench: LinesBench, user: string, text = 'the same') {
  const headers = { authorization: `Bearer ${await tokenOf(user)}` };
  const response = await bench.ask('/chat', body(text), { headers });
  const events: StreamEvent[] = [];
  const over = (async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const piece of response.body as ReadableStream<Uint8Array>) {
      rest += decoder.decode(piece, { stream: true });
      const end = rest.lastIndexOf('\n') + 1;
      events.push(...parseEvents(rest.slice(0, end)));
      rest = rest.slice(end);
    }
  })();
  return { events, over };
}

const saidBy = (events: StreamEvent[]) =>
  events.map((one) => (one.type === 'text-delta' ? one.text : '')).join('');
const isQueued = (events: StreamEvent[]) => events.some(({ type }) => type === 'queued');

/** Somebody is being answered, and two wait for the same answer. */
async function startWaiting() {
  const bench = await startLine({ cache: { keep: false } });
  const busy = await reading(bench, 'busy', 'another question');
  await bench.asked(0);
  const ada = await reading(bench, 'ada');
  const bob = await reading(bench, 'bob');
  await until(() => isQueued(ada.events) && isQueued(bob.events));
  return { bench, busy, ada, bob };
}

test('all who wait for one answer are told where it stands in the line, which is once', async () => {
  const { bench, busy, ada, bob } = await startWaiting();
  expect(bench.kit.gauges().queued).toBe(1);
  const place = (events: StreamEvent[]) => events.find(({ type }) => type === 'queued');
  expect(place(bob.events)).toMatchObject({ position: 1, of: 1 });
  await bench.answer(0);
  await bench.answer(1, 'for both');
  await Promise.all([busy, ada, bob].map(({ over }) => over));
  expect([saidBy(ada.events), saidBy(bob.events)]).toEqual(['for both', 'for both']);
});

test('whoever takes its request out of the line takes out nobody else', async () => {
  const { bench, busy, ada, bob } = await startWaiting();
  const { waiting } = (await (await bench.as('ada', 'GET', '/queue')).json()) as {
    waiting: { id: string }[];
  };
  expect((await bench.as('ada', 'DELETE', `/queue/${waiting[0]?.id}`)).status).toBe(204);
  await ada.over;
  expect(ada.events.at(-1)).toMatchObject({ type: 'error', code: 'aborted' });
  // It waits on in its own name.
  await until(() => bench.kit.gauges().queued === 1);
  const after = (await (await bench.as('bob', 'GET', '/queue')).json()) as { waiting: object[] };
  expect(after.waiting).toHaveLength(1);
  await bench.answer(0);
  await bench.answer(1, 'for bob');
  await Promise.all([busy.over, bob.over]);
  expect(saidBy(bob.events)).toBe('for bob');
});
