import { describe, expect, it } from 'vitest';
import { createManualClock, shape } from '../src/index.ts';
import { type Door, doors, inProcess, jsonOf } from './doors.ts';

// The numbers are those of the conformance table for servers; every case runs through both doors.

interface Progress {
  status?: string;
  digest?: string;
  total?: number;
  completed?: number;
  error?: string;
}

const progressOf = async (response: Response): Promise<Progress[]> =>
  (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const sha256 = async (text: string) =>
  `sha256:${Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex')}`;

const fast = { pullBytesPerSecond: Number.POSITIVE_INFINITY };
const del = (door: Door, model: string) =>
  door.fetch('/api/delete', { method: 'DELETE', body: JSON.stringify({ model }) });

describe.each(doors)('$name', ({ open }) => {
  it('E46 pull-ok', async () => {
    const door = await open({ models: [], ...fast });
    const response = await door.post('/api/pull', { model: 'llama3.2' });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const records = await progressOf(response);
    const statuses = [...new Set(records.map(({ status }) => status?.replace(/[0-9a-f]{12}$/, '#')))];
    expect(statuses).toEqual([
      'pulling manifest',
      'pulling #',
      'verifying sha256 digest',
      'writing manifest',
      'success',
    ]);
    expect(records.every((record) => record.completed !== 0 && record.total !== 0)).toBe(true);
    const first = records.find((record) => record.digest);
    expect(first).not.toHaveProperty('completed');
    expect(first?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(first?.status).toBe(`pulling ${first?.digest?.slice(7, 19)}`);
    expect((await door.post('/api/show', { model: 'llama3.2' })).status).toBe(200);
  });

  it('E47 pull-unknown', async () => {
    const door = await open();
    const streamed = await door.post('/api/pull', { model: 'nope' });
    expect(streamed.status).toBe(200);
    expect(await progressOf(streamed)).toEqual([
      { status: 'pulling manifest' },
      { error: 'pull model manifest: file does not exist' },
    ]);
    const whole = await door.post('/api/pull', { model: 'nope', stream: false });
    expect([whole.status, await whole.json()]).toEqual([
      500,
      { error: 'pull model manifest: file does not exist' },
    ]);
  });

  it('E48 pull-nonstream', async () => {
    const response = await (await open(fast)).post('/api/pull', { name: 'llama3.2', stream: false });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('{"status":"success"}');
  });

  it('E49 create-nothing', async () => {
    const response = await (await open()).post('/api/create', { model: 'x' });
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: "neither 'from' or 'files' was specified" },
    ]);
  });

  it.each([
    [{ model: 'bad name', from: 'stand-in' }, 'invalid model name'],
    [{ model: 'x', files: { 'm.gguf': 'sha256:12' } }, 'invalid digest format'],
    [{ model: 'x', files: { '../m.gguf': `sha256:${'a'.repeat(64)}` } }, 'file path must be relative'],
    [{ model: 'x', files: { '/m.gguf': `sha256:${'a'.repeat(64)}` } }, 'file path must be relative'],
    [{ model: 'x', files: {} }, 'no files provided to convert'],
    [{ model: 'x', from: 'stand-in', quantize: 'q9' }, 'unknown type'],
  ])('create refuses %j', async (body, text) => {
    const response = await (await open()).post('/api/create', body);
    expect([response.status, await response.json()]).toEqual([400, { error: text }]);
  });

  it('E50 delete / copy ok', async () => {
    const door = await open({ models: ['a'] });
    const copied = await door.post('/api/copy', { source: 'a', destination: 'b' });
    expect([copied.status, copied.headers.get('content-type'), await copied.text()]).toEqual([200, null, '']);
    const deleted = await del(door, 'a');
    expect([deleted.status, deleted.headers.get('content-type'), await deleted.text()]).toEqual([
      200,
      null,
      '',
    ]);
    expect((await door.post('/api/show', { model: 'a' })).status).toBe(404);
    expect((await door.post('/api/show', { model: 'b' })).status).toBe(200);
  });

  it('E51 delete-cloud-suffix', async () => {
    const response = await del(await open(), 'qwen3:cloud');
    expect([response.status, await response.json()]).toEqual([
      404,
      { error: "model 'qwen3:cloud' not found" },
    ]);
  });

  it('E52 blob', async () => {
    const door = await open();
    const digest = await sha256('GGUF bytes');
    const send = (name: string, method: string, body?: string) =>
      door.fetch(`/api/blobs/${name}`, { method, ...(body === undefined ? {} : { body }) });
    expect((await send(digest, 'HEAD')).status).toBe(404);
    const wrong = await send(digest, 'POST', 'other bytes');
    expect(wrong.status).toBe(400);
    expect((await jsonOf(wrong))['error']).toBe(
      `digest mismatch, expected "${digest}", got "${await sha256('other bytes')}"`,
    );
    expect((await send(digest, 'POST', 'GGUF bytes')).status).toBe(201);
    expect((await send(digest, 'POST', 'GGUF bytes')).status).toBe(200);
    expect((await send(digest, 'HEAD')).status).toBe(200);
    const dashed = await sha256('more');
    expect((await send(dashed.replace(':', '-'), 'POST', 'more')).status).toBe(400);
    expect((await send('sha256:12', 'HEAD')).status).toBe(400);
  });

  it('E54 shortened vectors are of unit length too, and still tell texts apart', async () => {
    const door = await open();
    const vectors = async (dimensions?: number) => {
      const input = ['the cat sat on the mat', 'a cat on a mat', 'quarterly revenue of the company'];
      const answer = await door.post('/api/embed', { model: 'stand-in-embed', input, dimensions });
      return ((await answer.json()) as { embeddings: number[][] }).embeddings;
    };
    for (const dimensions of [undefined, 64, 16]) {
      const [first = [], near = [], far = []] = await vectors(dimensions);
      const dot = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
      for (const vector of [first, near, far]) expect(dot(vector, vector)).toBeCloseTo(1, 5);
      if (dimensions !== 16) expect(dot(first, near)).toBeGreaterThan(dot(first, far) + 0.2);
      expect(first).toHaveLength(dimensions ?? 256);
      expect(first.every((value) => Math.fround(value) === Math.fround(Number(value.toPrecision(9))))).toBe(
        true,
      );
    }
  });

  it.each([[1], [['a', 1]], [{ text: 'a' }]])('E53 embed refuses %j', async (input) => {
    const response = await (await open()).post('/api/embed', { model: 'stand-in-embed', input });
    expect([response.status, await response.json()]).toEqual([400, { error: 'invalid input type' }]);
  });

  it('embed cuts what is too long, unless it may not', async () => {
    const door = await open();
    const input = 'word '.repeat(600);
    const cut = await jsonOf(await door.post('/api/embed', { model: 'stand-in-embed', input }));
    expect(cut['prompt_eval_count']).toBe(512);
    const refused = await door.post('/api/embed', { model: 'stand-in-embed', input, truncate: false });
    expect(refused.status).toBe(400);
    await door.post('/api/embed', { model: 'stand-in-embed', input: 'a', keep_alive: 0 });
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('the older embeddings give one vector that is not of unit length', async () => {
    const body = { model: 'stand-in-embed', prompt: 'three different words' };
    const answer = await (await open()).post('/api/embeddings', body);
    const { embedding } = (await answer.json()) as { embedding: number[] };
    expect(Math.hypot(...embedding)).toBeGreaterThan(1.2);
  });

  it('E55 cloud-off', async () => {
    const door = await open({ cloudDisabled: true });
    for (const [path, body] of [
      ['/api/chat', { model: 'gpt-oss:120b-cloud', messages: [] }],
      ['/v1/chat/completions', { model: 'gpt-oss:120b-cloud', messages: [{ role: 'user', content: 'x' }] }],
    ] as const) {
      const response = await door.post(path, body);
      expect([response.status, await response.json()]).toEqual([
        403,
        { error: 'ollama cloud is disabled: remote model is unavailable' },
      ]);
    }
    expect(await (await door.fetch('/api/status')).json()).toEqual({
      cloud: { disabled: true, source: 'env' },
    });
    const me = await (await open()).post('/api/me', {});
    expect([me.status, Object.keys(await me.json())]).toEqual([401, ['error', 'signin_url']]);
  });

  it('a model made of another answers, and says its system text', async () => {
    const door = await open();
    const body = { model: 'mario', from: 'stand-in', system: 'You are Mario.', quantize: 'q8_0' };
    const records = await progressOf(await door.post('/api/create', body));
    expect(records.at(-1)).toEqual({ status: 'success' });
    const show = await (await door.post('/api/show', { model: 'mario' })).json();
    expect(show).toMatchObject({ system: 'You are Mario.', details: { quantization_level: 'Q8_0' } });
    const chat = await door.post('/api/chat', {
      model: 'mario',
      messages: [{ role: 'user', content: 'hi' }],
    });
    expect(await chat.text()).toContain('"model":"mario"');
  });

  it('a file that is no GGUF is refused when it is read', async () => {
    const door = await open();
    const digest = await sha256('plain');
    await door.fetch(`/api/blobs/${digest}`, { method: 'POST', body: 'plain' });
    const response = await door.post('/api/create', { model: 'x', files: { 'm.gguf': digest } });
    expect((await progressOf(response)).at(-1)).toEqual({ error: 'supplied file was not in GGUF format' });
  });
});

describe('a pull takes its time', () => {
  const registry = [{ name: 'big', sizeBytes: 1_000_000 }];
  const slow = { models: [], registry, pullBytesPerSecond: 100_000 };
  const weights = (records: Progress[]) => records.filter(({ total }) => total === 1_000_000);

  /** Reads lines until the clock has gone on by `ms`. */
  async function during(door: Door, clock: ReturnType<typeof createManualClock>, ms: number) {
    const leaving = new AbortController();
    const lines: Progress[] = [];
    const reading = (async () => {
      const response = await door.post('/api/pull', { model: 'big' }, { signal: leaving.signal });
      let rest = '';
      for await (const chunk of response.body ?? []) {
        rest += new TextDecoder().decode(chunk);
        const parts = rest.split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts.map((part) => JSON.parse(part)));
      }
    })().catch(() => {});
    await clock.advance(ms);
    return { lines, reading, leave: () => leaving.abort() };
  }

  it('reports every 60 ms, at the pace that was set', async () => {
    const clock = createManualClock();
    const door = await inProcess.open({ clock, ...slow });
    const { lines, reading } = await during(door, clock, 10_500);
    await reading;
    const seen = weights(lines);
    expect(seen.length).toBeGreaterThan(160);
    expect(seen[0]).not.toHaveProperty('completed');
    expect(seen[1]?.completed).toBe(6000);
    expect(lines.at(-1)).toEqual({ status: 'success' });
  });

  it('goes on where it was left, and not before the last watcher is gone', async () => {
    const clock = createManualClock();
    const door = await inProcess.open({ clock, ...slow });
    const first = await during(door, clock, 3000);
    const second = await during(door, clock, 1000);
    expect(weights(second.lines)[0]?.completed).toBe(300_000);
    first.leave();
    await first.reading;
    await clock.advance(1000);
    // The download went on for the other one.
    expect(weights(second.lines).at(-1)?.completed).toBeGreaterThan(490_000);
    second.leave();
    await second.reading;
    await clock.advance(60_000);
    const third = await during(door, clock, 500);
    const resumed = weights(third.lines)[0]?.completed ?? 0;
    expect(resumed).toBeGreaterThanOrEqual(490_000);
    expect(resumed).toBeLessThan(510_000);
    await clock.advance(6000);
    await third.reading;
    expect(third.lines.at(-1)).toEqual({ status: 'success' });
    expect(door.fake.report().disconnects).toHaveLength(2);
  });

  it.each(doors)('a pull that is cut, $name, goes on where it was', async ({ open }) => {
    const clock = createManualClock();
    const door = await open({ clock, ...slow });
    door.fake.script(shape({ limitBytes: 3000, limitCut: 'reset' }), { path: '/api/pull' });
    const cut = door.post('/api/pull', { model: 'big' }).then((response) => response.text());
    const broken = expect(cut).rejects.toThrow('terminated');
    await door.fake.waitFor((report) => report.requests[0]?.firstByteAt !== undefined);
    for (let turn = 0; turn < 40; turn++) await clock.advance(60);
    await broken;
    const again = await door.post('/api/pull', { model: 'big' });
    const reader = (again.body as ReadableStream<Uint8Array>).getReader();
    let seen = '';
    while (!seen.includes('"total"')) seen += new TextDecoder().decode((await reader.read()).value);
    expect(seen).toMatch(/"total":1000000,"completed":[1-9]/);
    await reader.cancel();
  });

  it('a reader that goes away lets go of the download', async () => {
    const clock = createManualClock();
    const door = await inProcess.open({ clock, ...slow });
    const first = await door.post('/api/pull', { model: 'big' });
    const reader = (first.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.read();
    await reader.cancel();
    await clock.advance(600_000);
    // Nobody was there to fetch for: it begins anew and is not complete.
    const { lines, reading, leave } = await during(door, clock, 60);
    expect(weights(lines)[0]).not.toHaveProperty('completed');
    leave();
    await reading;
  });

  it('a deleted model has to be fetched again, layers that others use do not', async () => {
    const door = await inProcess.open({ models: ['big', 'other'], registry, ...fast });
    await door.post('/api/copy', { source: 'big', destination: 'twin' });
    await del(door, 'big');
    expect(weights(await progressOf(await door.post('/api/pull', { model: 'big' })))).toHaveLength(1);
    await del(door, 'twin');
    await del(door, 'big');
    expect(weights(await progressOf(await door.post('/api/pull', { model: 'big' }))).length).toBeGreaterThan(
      1,
    );
  });
});
