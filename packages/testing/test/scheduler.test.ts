import { describe, expect, it } from 'vitest';
import { createManualClock, say, stall } from '../src/index.ts';
import { ask, doors, firstChunk, inProcess, jsonOf } from './doors.ts';

const MINUTES = 60_000;

async function open(options: Parameters<typeof inProcess.open>[0] = {}) {
  const clock = createManualClock();
  return { clock, ...(await inProcess.open({ clock, ...options })) };
}

/** Asks for a whole answer and keeps what becomes of it. */
function send(door: Pick<Awaited<ReturnType<typeof open>>, 'post'>, body: object, signal?: AbortSignal) {
  const state = { status: 0, failed: false, text: '' };
  const done = door
    .post('/api/chat', { stream: false, ...body }, signal ? { signal } : {})
    .then(async (response) => {
      state.status = response.status;
      state.text = await response.text();
    })
    .catch(() => {
      state.failed = true;
    });
  return Object.assign(state, { done });
}

describe('scheduler', () => {
  it('serves one request at a time for each slot, first come first served', async () => {
    const door = await open({ slotsPerModel: 1 });
    door.fake.script(stall(1000), { times: 3 });
    const [a, b, c] = [send(door, ask('a')), send(door, ask('b')), send(door, ask('c'))] as const;
    await door.clock.advance(999);
    expect(door.fake.report()).toMatchObject({ openGenerations: 1, waiting: 2 });
    await door.clock.advance(1);
    expect([a.status, b.status, c.status]).toEqual([200, 0, 0]);
    await door.clock.advance(1000);
    expect([a.status, b.status, c.status]).toEqual([200, 200, 0]);
    await door.clock.advance(1000);
    expect(c.status).toBe(200);
    expect(door.fake.report()).toMatchObject({ openGenerations: 0, waiting: 0 });
  });

  it('serves as many at once as there are slots', async () => {
    const door = await open({ slotsPerModel: 2 });
    door.fake.script(stall(1000), { times: 3 });
    for (const name of ['a', 'b', 'c']) send(door, ask(name));
    await door.clock.advance(500);
    expect(door.fake.report()).toMatchObject({ openGenerations: 2, waiting: 1 });
    await door.clock.advance(1500);
    expect(door.fake.report()).toMatchObject({ openGenerations: 0, waiting: 0 });
  });

  it('counts the wait for a slot in total_duration, not in load_duration', async () => {
    const door = await open({ loadMs: 500, tokensPerSecond: 10, prefillMsPerToken: 1 });
    door.fake.script([stall(2000), say('a b')], { times: 2 });
    const first = send(door, ask('x'));
    const second = send(door, ask('x'));
    await door.clock.advance(10_000);
    const figures = JSON.parse(second.text);
    // Both waited for the load; the second then waited for the first: 5 ms of prompt, 2 s of silence, 200 ms of words.
    expect(figures.load_duration).toBe(500e6);
    expect(figures.prompt_eval_duration).toBe(5e6);
    expect(figures.total_duration).toBe((500 + 2 * (5 + 2000 + 200)) * 1e6);
    expect(JSON.parse(first.text).total_duration).toBe((500 + 5 + 2000 + 200) * 1e6);
  });

  it('does not list a model while it loads', async () => {
    const door = await open({ loadMs: 1000 });
    const load = send(door, { model: 'stand-in' });
    await door.clock.advance(999);
    expect(await jsonOf(await door.fetch('/api/ps'))).toEqual({ models: [] });
    expect(door.fake.report()).toMatchObject({ waiting: 1, loaded: [] });
    await door.clock.advance(1);
    expect(load.status).toBe(200);
    expect(door.fake.report()).toMatchObject({ waiting: 0, loaded: ['stand-in:latest'] });
  });

  it('frees a model five minutes after its last answer', async () => {
    const door = await open();
    const answer = send(door, ask('hi'));
    await answer.done;
    await door.clock.advance(5 * MINUTES - 1);
    expect(door.fake.report().loaded).toEqual(['stand-in:latest']);
    await door.clock.advance(1);
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('keeps the last explicit keep_alive for everybody', async () => {
    const door = await open();
    await send(door, ask('hi', { keep_alive: '1m' })).done;
    await send(door, ask('hi')).done;
    await door.clock.advance(MINUTES);
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('frees a model with keep_alive 0 after the answer that asked for it', async () => {
    const door = await open();
    door.fake.script(stall(1000));
    const answer = send(door, ask('hi', { keep_alive: 0 }));
    await door.clock.advance(500);
    expect(door.fake.report().loaded).toEqual(['stand-in:latest']);
    await door.clock.advance(500);
    expect(answer.status).toBe(200);
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('lets a running answer end before an unload', async () => {
    const door = await open();
    door.fake.script(stall(1000));
    const answer = send(door, ask('hi'));
    await door.clock.advance(10);
    const unload = send(door, { model: 'stand-in', messages: [], keep_alive: 0 });
    await unload.done;
    expect(unload.status).toBe(200);
    expect(door.fake.report()).toMatchObject({ openGenerations: 1, loaded: ['stand-in:latest'] });
    await door.clock.advance(1000);
    expect(answer.status).toBe(200);
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('evicts an idle model before a busy one', async () => {
    const door = await open({ maxLoadedModels: 2, models: ['a', 'b', 'c'] });
    await send(door, { model: 'a', keep_alive: '30m' }).done;
    door.fake.script(stall(), { model: 'b' });
    const busy = new AbortController();
    send(door, ask('x', { model: 'b', keep_alive: '1m' }), busy.signal);
    await door.clock.advance(1);
    await send(door, { model: 'c' }).done;
    expect([...door.fake.report().loaded].sort()).toEqual(['b:latest', 'c:latest']);
    busy.abort();
  });

  it('waits for the running answer of the model it has to evict', async () => {
    const door = await open({ maxLoadedModels: 1, models: ['a', 'b'] });
    door.fake.script(stall(1000), { model: 'a' });
    const first = send(door, ask('x', { model: 'a' }));
    await door.clock.advance(1);
    const second = send(door, ask('x', { model: 'b' }));
    await door.clock.advance(998);
    expect([first.status, second.status]).toEqual([0, 0]);
    expect(door.fake.report()).toMatchObject({ loaded: ['a:latest'], waiting: 1 });
    await door.clock.advance(1);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(door.fake.report().loaded).toEqual(['b:latest']);
  });

  it('loads a model anew for another num_ctx, and says so in ps', async () => {
    const door = await open({ loadMs: 1000 });
    const contextLength = async () =>
      ((await jsonOf(await door.fetch('/api/ps'))) as { models: { context_length: number }[] }).models[0]
        ?.context_length;
    const load = (options?: object) => send(door, { model: 'stand-in', options });
    load();
    await door.clock.advance(1000);
    expect(await contextLength()).toBe(4096);
    // The default by value is the same.
    const same = load({ num_ctx: 4096 });
    await door.clock.advance(0);
    expect(same.status).toBe(200);
    const other = load({ num_ctx: 8192 });
    await door.clock.advance(999);
    expect(other.status).toBe(0);
    await door.clock.advance(1);
    expect(other.status).toBe(200);
    expect(await contextLength()).toBe(8192);
  });

  it('answers 503 when the line for loads is full, and never for a loaded model', async () => {
    const door = await open({ maxQueue: 2, loadMs: 1000, models: ['a', 'b'] });
    send(door, { model: 'a' });
    const line = [send(door, { model: 'a' }), send(door, { model: 'b' })];
    const late = send(door, { model: 'b' });
    await late.done;
    expect(late.status).toBe(503);
    expect(late.text).toBe('{"error":"server busy, please try again.  maximum pending requests exceeded"}');
    await door.clock.advance(2000);
    expect(line.map((request) => request.status)).toEqual([200, 200]);
    door.fake.script(stall(10), { times: 20 });
    const many = Array.from({ length: 20 }, () => send(door, ask('x', { model: 'a' })));
    await door.clock.advance(200);
    expect(many.every((request) => request.status === 200)).toBe(true);
  });

  it('paces the first token by the prompt and the others by the clock', async () => {
    const door = await open({ tokensPerSecond: 10, prefillMsPerToken: 5 });
    door.fake.script(say('one two three'));
    const response = door.post('/api/chat', ask('four words are here'));
    // 4 words and 4 of the template make 8 tokens of prompt.
    let arrived = false;
    void response.then(() => {
      arrived = true;
    });
    await door.clock.advance(8 * 5 + 99);
    expect(arrived).toBe(false);
    await door.clock.advance(1);
    expect(arrived).toBe(true);
    const text = (await response).text();
    await door.clock.advance(200);
    const last = JSON.parse((await text).trimEnd().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({
      prompt_eval_count: 8,
      prompt_eval_duration: 40e6,
      eval_count: 3,
      eval_duration: 300e6,
    });
  });

  it('frees a model whose client left in the moment its load ended', async () => {
    const clock = createManualClock();
    const leaving = new AbortController();
    const door = await inProcess.open({
      loadMs: 1000,
      clock: {
        ...clock,
        // The load's own timer fires, and the client leaves before anybody has noticed that.
        setTimer: (callback, delayMs) =>
          clock.setTimer(() => {
            callback();
            leaving.abort();
          }, delayMs),
      },
    });
    const load = send(door, { model: 'stand-in' }, leaving.signal);
    await clock.advance(1000);
    expect(load.failed).toBe(true);
    expect(door.fake.report().loaded).toEqual(['stand-in:latest']);
    await clock.advance(5 * MINUTES);
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('leaves no timer behind', async () => {
    const door = await open({ loadMs: 100, tokensPerSecond: 10 });
    const leaving = new AbortController();
    const answers = [send(door, ask('a'), leaving.signal), send(door, ask('b'), leaving.signal)];
    await door.clock.advance(150);
    leaving.abort();
    await Promise.all(answers.map((answer) => answer.done));
    expect(answers.map((answer) => answer.failed)).toEqual([true, true]);
    // The keep-alive of the loaded model is the one that is left.
    expect(door.clock.pending).toBe(1);
    door.fake.reset();
    expect(door.clock.pending).toBe(0);
  });
});

describe.each(doors)('a client that leaves, $name', ({ open: openDoor }) => {
  it.each([
    ['before the first token', stall()],
    ['in the middle', [say('one'), stall()]],
  ])('frees the slot: %s', async (_when, steps) => {
    const { fake, post } = await openDoor();
    fake.script(steps);
    const leaving = new AbortController();
    const answer = post('/api/chat', ask('hi'), { signal: leaving.signal })
      .then((response) => response.text())
      .catch((cause: unknown) => cause);
    await fake.waitFor((report) => report.openGenerations === 1);
    leaving.abort();
    await fake.waitFor((report) => report.openGenerations === 0);
    expect(await answer).toMatchObject({ name: 'AbortError' });
    expect(fake.report().disconnects).toHaveLength(1);
    expect(fake.report().disconnects[0]?.disconnectedAt).toBeGreaterThan(0);
  });

  it('frees the slot by cancelling the body', async () => {
    const { fake, post } = await openDoor();
    fake.script([say('one'), stall()]);
    const { text, cancel } = await firstChunk(await post('/api/chat', ask('hi')));
    expect(text).toContain('one');
    await cancel();
    await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
  });

  it('leaves the line for a slot', async () => {
    const { fake, post } = await openDoor();
    fake.script(stall(), { contains: 'first' });
    const first = new AbortController();
    const second = new AbortController();
    const answers = Promise.allSettled([
      post('/api/chat', ask('first'), { signal: first.signal }),
      post('/api/chat', ask('second'), { signal: second.signal }),
    ]);
    await fake.waitFor((report) => report.openGenerations === 1 && report.waiting === 1);
    second.abort();
    await fake.waitFor((report) => report.waiting === 0);
    expect(fake.report().openGenerations).toBe(1);
    first.abort();
    await answers;
    await fake.waitFor((report) => report.openGenerations === 0);
  });

  it('aborts the load, and who waits behind starts it anew', async () => {
    const clock = createManualClock();
    const { fake, post } = await openDoor({ clock, loadMs: 1000 });
    const leaving = new AbortController();
    const first = post('/api/chat', ask('first'), { signal: leaving.signal }).catch(() => 'left');
    await fake.waitFor((report) => report.waiting === 1);
    const second = post('/api/chat', ask('second'));
    await fake.waitFor((report) => report.waiting === 2);
    await clock.advance(900);
    leaving.abort();
    expect(await first).toBe('left');
    await fake.waitFor((report) => report.waiting === 1);
    await clock.advance(999);
    expect(fake.report().loaded).toEqual([]);
    await clock.advance(1);
    expect((await second).status).toBe(200);
  });

  it('with an unread body does not keep the model in memory for ever', async () => {
    const clock = createManualClock();
    const { fake, post } = await openDoor({ clock });
    fake.script([say('one'), stall()]);
    const leaving = new AbortController();
    await post('/api/chat', ask('hi'), { signal: leaving.signal });
    leaving.abort();
    await fake.waitFor((report) => report.openGenerations === 0);
    expect(fake.report().loaded).toEqual(['stand-in:latest']);
    await clock.advance(5 * MINUTES);
    expect(fake.report().loaded).toEqual([]);
  });

  it('is no disconnect once the last record is there', async () => {
    const { fake, post } = await openDoor();
    fake.script(say('one'));
    const reader = (await post('/api/chat', ask('hi'))).body?.getReader();
    let text = '';
    while (!text.includes('"done":true')) text += new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    const after = await post('/api/chat', ask('again', { stream: false }));
    await after.text();
    expect(fake.report()).toMatchObject({ disconnects: [], openGenerations: 0 });
  });
});
