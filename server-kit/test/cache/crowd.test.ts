import { expect, test } from 'vitest';
import { randomFrom } from '../queue/random.ts';
import { parseEvents } from '../stream-harness.ts';
import { repeatable, startCached } from './cached-kit.ts';

/** Whoever reads to the end has all of it, and when all are gone nothing is left: the harness looks at every gauge. */
test.each([1, 2, 3, 4])('a crowd that comes and goes as it likes (seed %i)', async (seed) => {
  const next = randomFrom(seed);
  const kit = await startCached(
    { cache: { keep: next() < 0.5 }, content: next() < 0.5 ? { redact: { output: ['email'] } } : undefined },
    { tokensPerSecond: 2000 },
  );
  const texts = new Set<string>();
  let whole = 0;
  const one = async (number: number) => {
    await new Promise((resolve) => setTimeout(resolve, next() * 150));
    const leaving = new AbortController();
    const body = { ...repeatable, stream: next() < 0.7, ...(next() < 0.3 ? { resume: true } : {}) };
    const stays = next() < 0.6;
    const afterMs = next() * 120;
    if (!stays) setTimeout(() => leaving.abort(), afterMs);
    try {
      const response = await kit.as({ sub: `user-${number}` }, '/chat', body, { signal: leaving.signal });
      const text = await response.text();
      if (!stays && leaving.signal.aborted) return;
      whole++;
      const events = body.stream ? parseEvents(text) : [];
      texts.add(
        body.stream
          ? events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
          : (JSON.parse(text) as { message: { content: string } }).message.content,
      );
      if (body.stream) expect(events.at(-1)?.type).toBe('done');
      if (body.resume && stays) {
        const id = response.headers.get('x-ziggie-stream-id') ?? '';
        const token = await kit.token({ tenant: 'acme', roles: ['user'], sub: `user-${number}` });
        await kit.ask(`/streams/${id}`, { method: 'DELETE', token });
      }
    } catch (thrown) {
      if (stays) throw thrown;
    }
  };
  await Promise.all(Array.from({ length: 40 }, (_, number) => one(number)));
  expect(whole).toBeGreaterThan(10);
  expect(texts.size).toBe(1);
  expect(kit.generations).toBeLessThan(40);
});
