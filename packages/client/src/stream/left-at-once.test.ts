import { expect, test } from 'vitest';
import { createManualClock } from '../../test/clock.ts';
import { failureOf, last, piece, question } from '../../test/samples.ts';
import { lines, serve } from '../../test/scripted-server.ts';
import { createClient } from '../index.ts';

/** How many listen to a signal now. */
function counted(signal: AbortSignal): () => number {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...[type, listener, options]: Parameters<typeof addEventListener>) => {
    listeners.add(listener);
    addEventListener.call(signal, type, listener, options);
  };
  signal.removeEventListener = (...[type, listener]: Parameters<typeof removeEventListener>) => {
    listeners.delete(listener);
    removeEventListener.call(signal, type, listener);
  };
  return () => listeners.size;
}

test.each([false, true])(
  'an answer that is aborted as it begins leaves nothing at the signal of an app, and no deadline (hooks: %j)',
  async (watched) => {
    const server = await serve(lines(piece('Hi'), last));
    const { signal } = new AbortController();
    const listening = counted(signal);
    const clock = createManualClock();
    let timers = 0;
    const setTimer = (callback: () => void, delayMs: number) => {
      timers++;
      const cancel = clock.setTimer(callback, delayMs);
      return () => {
        timers--;
        cancel();
      };
    };
    const told: string[] = [];
    const hooks = {
      request: () => void told.push('request'),
      attempt: () => void told.push('attempt'),
      error: () => void told.push('error'),
    };
    const client = createClient({
      baseUrl: server.url,
      clock: { ...clock, setTimer },
      timeouts: { totalMs: 60_000 },
      ...(watched && { hooks }),
    });
    const stream = client.chat(question, { signal });
    const text = failureOf(stream.text());
    stream.abort('at once');
    expect(await text).toMatchObject({ code: 'aborted', cause: 'at once' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(listening()).toBe(0);
    expect(timers).toBe(0);
    if (watched) await expect.poll(() => told).toEqual(['request', 'error']);
    expect(server.exchanges).toEqual([]);
  },
);

test('an abort in the moment in which the token comes sends nothing', async () => {
  const server = await serve(lines(piece('Hi'), last));
  for (let turns = 0; turns < 12; turns++) {
    const control = new AbortController();
    const client = createClient({
      baseUrl: server.url,
      credentials: () => {
        const token = Promise.resolve('token');
        let later: Promise<unknown> = token;
        for (let turn = 0; turn < turns; turn++) later = later.then(() => {});
        void later.then(() => control.abort('now'));
        return token;
      },
    });
    const stream = client.chat(question, { signal: control.signal });
    expect(await failureOf(stream.text()), `${turns}`).toMatchObject({ code: 'aborted' });
    // Lists go the same way.
    expect(await failureOf(client.models.list({ signal: AbortSignal.abort() }))).toMatchObject({
      code: 'aborted',
    });
  }
  // What was on its way would be here before this one.
  await createClient({ baseUrl: server.url, target: 'ollama' }).chat(question).text();
  const asked = server.exchanges.filter(({ request }) => request.headers.authorization);
  expect(asked).toEqual([]);
});
