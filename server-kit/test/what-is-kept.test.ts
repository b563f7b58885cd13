import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import type { Stores } from '../src/index.ts';
import { routeTable } from '../src/routes/route-table.ts';
import { createRedisStores } from '../src/stores-redis.ts';
import { createSqliteStores } from '../src/stores-sqlite.ts';
import { listen } from './doors/hosts.ts';
import { hasRedis, startRedis } from './stores/redis-server.ts';
import { type BenchOptions, closeLater, question, startBench, startWithFake } from './stream-harness.ts';

const canary = 'canary-4d1f-of-the-operator';
const said = 'canary-77b0-of-the-user';

/** What an operator writes into a Modelfile, in every place where a model server might show it. */
const operators = {
  system: `Never tell that ${canary}.`,
  template: `{{ .System }} ${canary} {{ .Prompt }}`,
  modelfile: `FROM x\nSYSTEM ${canary}`,
  parameters: `stop ${canary}`,
  license: canary,
  messages: [{ role: 'system', content: canary }],
  context: [4, 2, 4, 2, 4, 2],
  prompt: canary,
  debug_info: { rendered_template: canary },
};

/** A model server that says more about its models than anybody asked. */
async function startTalkative(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const answer = (req: IncomingMessage, body: string): [status: number, body: string] => {
    const model = { name: 'house:latest', model: 'house:latest', size: 1, ...operators };
    const details = { family: 'llama', parent_model: canary, ...operators };
    if (req.method === 'GET')
      return [200, JSON.stringify({ models: [{ ...model, details }], version: '1.0.0', ...operators })];
    asked.push(`${req.url} ${body}`);
    if (body.includes('fail before')) return [500, JSON.stringify({ error: `template: :1: ${canary}` })];
    const record = (more: object) =>
      `${JSON.stringify({ model: 'house', message: { role: 'assistant', content: 'hi', ...operators }, response: 'hi', ...more, ...operators })}\n`;
    if (body.includes('fail within'))
      return [200, record({ done: false }) + JSON.stringify({ error: canary })];
    return [
      200,
      record({ done: false }) +
        record({ done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 1 }),
    ];
  };
  const running = await listen(
    createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => {
        body += chunk;
      });
      req.on('end', () => {
        const [status, text] = answer(req, body);
        res.writeHead(status, { 'content-type': 'application/x-ndjson', 'x-template': canary });
        res.end(text);
      });
    }),
  );
  closeLater(running.close);
  return { url: `http://127.0.0.1:${running.port}`, asked };
}

describe('what an operator wrote into a model', () => {
  test('is in no list, no answer, no error and no log line', async () => {
    const { url } = await startTalkative();
    const bench = startBench(url, { doctor: true });
    const answers: string[] = [];
    for (const { path, method } of routeTable.filter(({ path }) => !path.includes(':') && path !== '/ws')) {
      if (method === 'GET') answers.push(await wholeOf(bench.get(path)));
    }
    for (const text of ['hello', 'fail before', 'fail within']) {
      for (const stream of [true, false]) {
        answers.push(await wholeOf(bench.ask('/chat', { ...question(text, 'house'), stream })));
        answers.push(await wholeOf(bench.ask('/generate', { model: 'house', prompt: text, stream })));
      }
      answers.push(await wholeOf(bench.ask('/generate-complete', { model: 'house', prompt: text })));
      const sse = { headers: { accept: 'text/event-stream' } };
      answers.push(await wholeOf(bench.ask('/chat', question(text, 'house'), sse)));
    }
    expect(answers.length).toBeGreaterThan(20);
    expect(answers.join('\n')).toContain('house');
    for (const one of [...answers, JSON.stringify(bench.log)]) {
      expect(one).not.toContain(canary);
      expect(one).not.toContain('4,2,4,2');
    }
  });

  test.each(['template', 'context', 'modelfile', 'adapters', 'parameters', 'license', '_debug_render_only'])(
    'cannot be replaced or asked for by %s: 400, and nothing is sent',
    async (member) => {
      const { url, asked } = await startTalkative();
      const bench = startBench(url);
      for (const path of ['/chat', '/generate', '/generate-complete']) {
        const body = path === '/chat' ? question('hello', 'house') : { model: 'house', prompt: 'hello' };
        expect((await bench.ask(path, { ...body, [member]: 'x' })).status).toBe(400);
        const inOptions = { ...body, options: { [member]: 'x' } };
        expect((await bench.ask(path, inOptions)).status, `${path} options`).toBe(400);
      }
      expect(asked).toEqual([]);
    },
  );
});

/** Everything that a kit may count and keep, with something said through it in every way. */
async function sayThrough(stores: Stores | undefined, more: BenchOptions = {}): Promise<string> {
  const bench = await startWithFake({
    ...(stores ? { stores } : {}),
    limits: {
      rules: [
        { per: 'user', unit: 'totalTokens', window: 'month', limit: 1_000_000 },
        { per: 'model', unit: 'requests', window: 'day', limit: 1000 },
      ],
    },
    ...more,
  });
  for (let twice = 0; twice < 2; twice++) {
    for (const stream of [true, false]) {
      expect((await (await bench.ask('/chat', { ...question(said), stream })).text()).length).toBeGreaterThan(
        10,
      );
      await (await bench.ask('/generate', { model: 'stand-in', prompt: said, system: said, stream })).text();
    }
  }
  const asked = bench.ollama.fake.report().requests.filter(({ path }) => /chat|generate/.test(path));
  // A request that only brings the model in says nothing.
  const upstream = asked.filter(({ body }) => /"(?:prompt|messages)"/.test(JSON.stringify(body)));
  // Nothing is answered from what somebody asked before.
  expect(upstream).toHaveLength(8);
  await bench.kit.close();
  return JSON.stringify(bench.log);
}

describe('what a user says', () => {
  test('is in no byte of the files of SQLite, and in no log line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ziggie-kept-'));
    const { stores, close } = createSqliteStores({ path: join(folder, 'kit.db') });
    expect(await sayThrough(stores)).not.toContain(said);
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    close();
    expect(Buffer.concat(files).length).toBeGreaterThan(4096);
    expect(Buffer.concat(files).includes(said)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  test.skipIf(!hasRedis)('is in no key and no value of Redis', async () => {
    const server = await startRedis();
    closeLater(() => server.stop());
    const { stores, close } = createRedisStores({ url: server.url, deadlineMs: 10_000 });
    const client = new Redis(server.url);
    await client.ping();
    await sayThrough(stores);
    const keys = await client.keys('*');
    const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
    expect(keys.length).toBeGreaterThan(2);
    expect(Buffer.concat([Buffer.from(keys.join()), ...dumps]).includes(said)).toBe(false);
    client.disconnect();
    close();
  });

  const paths = routeTable.filter(({ operation }) => operation === 'embed').map(({ path }) => path);

  test.each([...paths, '/chat', '/generate'])(
    'is turned into a vector by %s only with a model that its caller may use, and is in no log line',
    async (path) => {
      const roles = { user: { permissions: ['chat', 'models:read'], models: ['stand-in'] } } as const;
      const bench = await startWithFake({ roles });
      const text = path === '/chat' ? { messages: [{ role: 'user', content: said }] } : { prompt: said };
      const body = paths.includes(path) && path !== '/api/embeddings' ? { input: said } : text;
      const answer = await bench.ask(path, { model: 'stand-in-embed', ...body });
      expect(answer.status).toBe(404);
      expect(await answer.text()).not.toContain(said);
      expect(JSON.stringify(bench.log)).not.toContain(said);
      const reached = bench.ollama.fake.report().requests.map((one) => one.path);
      expect(reached.filter((one) => !['/api/tags', '/api/ps', '/api/version'].includes(one))).toEqual([]);
    },
  );
});

async function wholeOf(asked: Promise<Response>): Promise<string> {
  const response = await asked;
  return `${JSON.stringify([...response.headers])}\n${await response.text()}`;
}
