import { callTool, error, say, stall, think } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { chunk, streamHead, textRecord, whole } from '../raw-ollama.ts';
import {
  type Bench,
  eventsOf,
  question,
  readerOf,
  startWithFake,
  startWithRaw,
  token,
  until,
} from '../stream-harness.ts';

const promptWord = 'canary-prompt-7f3a';
const answerWord = 'canary-answer-91bc';
const headerWord = 'canary-header-c0de';
const argumentWord = 'canary-argument-55aa';
const upstreamWord = 'canary-upstream-e11e';
const words = [promptWord, answerWord, headerWord, argumentWord, upstreamWord];
const headers = { 'x-secret': headerWord, cookie: `session=${headerWord}` };

describe('the request log', () => {
  test('has one line for a good answer', async () => {
    const { ask, log, ollama } = await startWithFake();
    ollama.fake.script([say('Hello there.')]);
    const response = await ask('/chat', question());
    await response.text();
    expect(log).toEqual([
      {
        level: 'info',
        message: 'llm request',
        requestId: response.headers.get('x-request-id'),
        method: 'POST',
        route: '/chat',
        status: 200,
        outcome: 'ok',
        durationMs: expect.any(Number),
        principal: 'ada',
        model: 'stand-in:latest',
        upstream: expect.stringMatching(/^u-[0-9a-f]{8}$/),
        inputTokens: expect.any(Number),
        outputTokens: expect.any(Number),
      },
    ]);
  });

  test('has one line for a refusal, with code and without a model', async () => {
    const { ask, log } = await startWithFake();
    await ask('/chat', { model: 'stand-in', messages: [] });
    expect(log).toMatchObject([
      { level: 'info', outcome: 'refused', status: 400, code: 'bad_request', principal: 'ada' },
    ]);
    expect(log[0]).not.toHaveProperty('model');
  });

  test('has one line for a failure, with its reason', async () => {
    const { ask, log } = await startWithRaw(
      ({ socket }) => void socket.write(whole('{}', 'HTTP/1.1 503 Busy')),
    );
    await ask('/chat', question('Hi', 'raw'));
    expect(log).toMatchObject([
      {
        level: 'warn',
        outcome: 'failed',
        status: 503,
        code: 'server_busy',
        reason: 'HTTP 503',
        model: 'raw:latest',
      },
    ]);
  });

  test('has one line for a client that left', async () => {
    const { ask, log } = await startWithRaw(
      ({ socket }) => void socket.write(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('Hi'))])),
    );
    const reader = readerOf(await ask('/chat', question('Hi', 'raw')));
    await reader.next();
    await reader.cancel();
    expect(log).toMatchObject([{ level: 'info', outcome: 'left', status: 499 }]);
  });
});

test('a logger that throws fails no request and ends no process', async () => {
  const broken = () => {
    throw new Error('the log is full');
  };
  const { ask, ollama } = await startWithFake({ logger: { info: broken, warn: broken, error: broken } });
  ollama.fake.script([say('Hello.')]);
  expect((await eventsOf(await ask('/chat', question()))).at(-1)?.type).toBe('done');
  expect((await ask('/chat', { model: 'stand-in', messages: [] })).status).toBe(400);
  ollama.fake.script([say('Hello'), stall()]);
  const left = new AbortController();
  const reader = readerOf(await ask('/chat', question(), { signal: left.signal }));
  await reader.next();
  left.abort();
  await ollama.fake.waitFor((report) => report.openGenerations === 0);
});

/** Everything but the text of a good answer: what no prompt, token or text of a model server may be in. */
async function spoken(response: Response): Promise<string> {
  const head = JSON.stringify([...response.headers]);
  const body = await response.text();
  const isStream = /ndjson|event-stream/.test(response.headers.get('content-type') ?? '');
  const parts = isStream
    ? body.split('\n').filter((line) => /"type":"(?:error|start|done|usage)"/.test(line))
    : [body];
  return response.ok && !isStream ? head : `${head}\n${parts.join('\n')}`;
}

test('no prompt, answer, token, header, argument or upstream text is in a log line, a failure or a header', async () => {
  const said: string[] = [];
  const outcomes: string[] = [];
  const tools = [{ type: 'function', function: { name: 'f', description: argumentWord, parameters: {} } }];
  const ask = { ...question(`Please ${promptWord}`, 'all'), tools };
  const tell = async (name: string, bench: Bench, response: Promise<Response>) => {
    const answer = await response;
    const text = await spoken(answer);
    await until(() => bench.log.length > 0);
    outcomes.push(`${name}: ${answer.status}`);
    said.push(text, JSON.stringify(bench.log.splice(0)));
  };

  const fake = await startWithFake(
    {},
    { models: [{ name: 'all', capabilities: ['completion', 'thinking', 'tools'] }, { name: 'plain' }] },
  );
  const { ollama } = fake;
  const script = (
    ...steps: Parameters<typeof ollama.fake.script>[0] extends infer T
      ? Extract<T, readonly unknown[]>
      : never
  ) => ollama.fake.script(steps);
  const asked = (body: unknown = ask, path = '/chat', more = headers) =>
    fake.ask(path, body, { headers: more });

  script(think(answerWord), say(answerWord), callTool('f', { word: argumentWord }));
  await tell('good', fake, asked());
  script(say(answerWord), callTool('f', { word: argumentWord }));
  await tell('good, complete', fake, asked({ ...ask, stream: false }));
  script(say(answerWord), error(`${upstreamWord} ${promptWord}`));
  await tell('error record after text', fake, asked());
  for (const status of [400, 401, 403, 404, 429, 500, 503]) {
    script(error(`${upstreamWord} at /root/.ollama for "${promptWord}"`, { status }));
    await tell(`HTTP ${status}`, fake, asked());
  }
  script(error(`${upstreamWord} out of memory`));
  await tell('out of memory, complete', fake, asked({ ...ask, stream: false }));
  await tell('no such model', fake, asked({ ...ask, model: promptWord }));
  await tell('not a capability', fake, asked({ ...ask, model: 'plain' }));
  await tell('not JSON', fake, asked(`{"model": "${promptWord}`));
  await tell('wrong shape', fake, asked({ ...ask, temperature: promptWord }));
  await tell('wrong option', fake, asked({ ...ask, options: { temperature: promptWord } }));
  await tell('wrong role', fake, asked({ ...ask, messages: [{ role: promptWord, content: promptWord }] }));
  await tell(
    'wrong image',
    fake,
    asked({ ...ask, messages: [{ role: 'user', content: 'x', images: [`${promptWord}!`] }] }),
  );
  const forged = `${await token()}x`;
  await tell(
    'forged token',
    fake,
    asked(ask, '/chat', { ...headers, authorization: `Bearer ${forged}` } as never),
  );
  await tell(
    'hostile request id',
    fake,
    asked(ask, '/chat', { ...headers, 'x-request-id': `${headerWord} "` } as never),
  );

  const raws: [string, string | Uint8Array][] = [
    ['garbage', `${upstreamWord}\n`],
    ['half a record', `{"message":{"content":"${answerWord}`],
    ['error object', `{"error":{"message":"${upstreamWord} ${promptWord}"}}\n`],
    ['a record that is text', `"${upstreamWord}"\n`],
    [
      'a tool call that is none',
      `{"message":{"tool_calls":[{"function":{"name":"","arguments":"${argumentWord}"}}]}}\n`,
    ],
  ];
  for (const [name, body] of raws) {
    const raw = await startWithRaw(
      ({ socket }) =>
        void socket.end(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('x')), chunk(body)])),
    );
    await tell(name, raw, raw.ask('/chat', question(promptWord, 'raw'), { headers }));
    await tell(
      `${name}, complete`,
      raw,
      raw.ask('/chat', { ...question(promptWord, 'raw'), stream: false }, { headers }),
    );
  }
  const head = await startWithRaw(
    ({ socket }) =>
      void socket.end(
        `HTTP/1.1 200 ${upstreamWord}\r\nx-up: ${upstreamWord}\r\nset-cookie: a=${upstreamWord}\r\ncontent-type: ${upstreamWord}\r\ncontent-length: 0\r\n\r\n`,
      ),
  );
  await tell('upstream headers', head, head.ask('/chat', question(promptWord, 'raw'), { headers }));

  expect(outcomes.length).toBeGreaterThanOrEqual(30);
  expect(new Set(outcomes.map((outcome) => outcome.slice(-3))).size).toBeGreaterThanOrEqual(6);
  const everything = said.join('\n');
  for (const word of [...words, forged, forged.slice(-20), '/root/.ollama'])
    expect(everything).not.toContain(word);
});
