import { describe, expect, it } from 'vitest';
import {
  callTool,
  cut,
  error,
  type FakeOllamaOptions,
  replay,
  type Script,
  say,
  think,
  thinkAndSay,
} from '../src/index.ts';
import { type Door, doors, inProcess } from './doors.ts';
import { hasFixtures, initOf, type Transcript, transcript, transcripts } from './fixtures.ts';
import { shapesOf } from './shapes.ts';

const headersOf = ({ contentType, headers }: Transcript) => ({
  ...(contentType === null ? {} : { 'content-type': contentType }),
  ...headers,
});

describe.skipIf(!hasFixtures)('every transcript can be replayed', () => {
  it('there are 101', () => expect(transcripts).toHaveLength(101));

  describe.each(doors)('$name', ({ open }) => {
    it.each(transcripts.map((one) => [one.file, one] as const))('%s', async (file, one) => {
      const { fake, fetch } = await open();
      const { path } = one.request;
      fake.script(replay(transcript(file), { status: one.status, headers: headersOf(one) }), { path });
      const response = await fetch(path, initOf(one));
      expect(response.status).toBe(one.status);
      expect(response.headers.get('content-type')).toBe(one.contentType);
      for (const [name, value] of Object.entries(one.headers ?? {})) {
        expect(response.headers.get(name)).toBe(value);
      }
      expect(Buffer.from(await response.arrayBuffer()).equals(transcript(file))).toBe(true);
      // It is used up: the next request is answered by the route again.
      expect((await fetch('/api/version')).status).toBe(200);
    });
  });

  it('a text is written record by record, an array entry by entry', async () => {
    const { fake, post } = await inProcess.open();
    const read = async () => {
      const chunks: string[] = [];
      const response = await post('/api/chat', { model: 'stand-in', messages: [] });
      for await (const chunk of response.body ?? []) chunks.push(new TextDecoder().decode(chunk));
      return chunks;
    };
    const ndjson = { headers: { 'content-type': 'application/x-ndjson' } };
    fake.script(replay('{"a":1}\n{"b":2}\n{"c"', ndjson));
    expect(await read()).toEqual(['{"a":1}\n', '{"b":2}\n', '{"c"']);
    fake.script(replay(['{"a"', ':1}\n'], ndjson));
    expect(await read()).toEqual(['{"a"', ':1}\n']);
    fake.script(
      replay('data: 1\n\nevent: b\ndata: 2\n\n', { headers: { 'content-type': 'text/event-stream' } }),
    );
    expect(await read()).toEqual(['data: 1\n\n', 'event: b\ndata: 2\n\n']);
  });
});

/** The machine that the transcripts come from. */
const models: FakeOllamaOptions['models'] = [
  { name: 'llama3.2', capabilities: ['completion', 'tools'], contextLength: 131_072 },
  { name: 'qwen3', capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'qwen3.6', capabilities: ['completion', 'tools', 'thinking'], chatPath: 'native' },
  { name: 'gemma', capabilities: ['completion'] },
  { name: 'all-minilm', capabilities: ['embedding'] },
  { name: 'me/llama3.2', capabilities: ['completion'] },
];

/** What is scripted, set or done before the transcript's own request. */
interface Setting {
  steps?: Script;
  options?: FakeOllamaOptions;
  before?: (door: Door) => Promise<unknown>;
  body?: unknown;
  headers?: Record<string, string>;
}

const weather = (city: string) => callTool('get_weather', { city });

const settings: Record<string, Setting> = {
  'chat-basic.ndjson': { steps: [say('Hello! How can I help?')] },
  'chat-basic-nonstream.json': { steps: [say('Hello!')] },
  'chat-length.ndjson': { steps: [say('Once upon a time')] },
  'chat-thinking.ndjson': { steps: [think('The user'), say('4')] },
  'chat-thinking-mixed-chunk.ndjson': { steps: [think('Easy'), thinkAndSay(' Done.', '4')] },
  'chat-thinking-structured.ndjson': {},
  'chat-tools-single.ndjson': { steps: [weather('Paris')] },
  'chat-tools-parallel.ndjson': { steps: [say('Both'), weather('Paris'), weather('Oslo')] },
  'chat-tools-native-final.ndjson': { steps: [think('Tool.'), weather('Paris'), weather('Oslo')] },
  'chat-tools-on-done-rendered.ndjson': {
    steps: [callTool('get_weather', { city: 'Seattle' }, { onLastRecord: true })],
  },
  'chat-tools-nonstream.json': { steps: [weather('Paris'), weather('Oslo')] },
  'chat-logprobs.ndjson': { steps: [say('Hi')] },
  'chat-html-escape.ndjson': { steps: [say('<b>'), say(' — naïve 東京 🦙 \u2028')] },
  'chat-load.json': {},
  'chat-unload.json': {},
  'chat-error-midstream.ndjson': { steps: [say('The'), error('unexpected EOF')] },
  'chat-truncated-no-done.ndjson': { steps: [say('ha'), cut()] },
  'chat-empty-200.ndjson': { steps: [cut()] },
  'error-500-prestream.json': { steps: [error('model runner has unexpectedly stopped')] },
  'error-400-context-native.json': {
    body: { model: 'qwen3.6', messages: [{ role: 'user', content: 'long '.repeat(5000) }] },
  },
  'error-400-context.json': {
    body: { model: 'llama3.2', messages: [{ role: 'user', content: 'long '.repeat(5000) }], shift: false },
  },
  'error-400-embed-context.json': {
    body: { model: 'all-minilm', input: 'long '.repeat(600), truncate: false },
  },
  'error-404-chat.json': {},
  'error-404-show.json': {},
  'error-404-embed.json': {},
  'error-404-copy.json': {},
  'error-404-generate-empty-model.json': {},
  'error-400-model-required.json': {},
  'error-400-missing-body.json': {},
  'error-400-invalid-name.json': {},
  'error-400-no-tools.json': {},
  'error-400-no-thinking.json': {},
  'error-400-no-chat.json': {},
  'error-400-think-value.json': {},
  'error-400-keepalive.json': {},
  'error-500-option-type.json': {},
  'error-503-busy.json': {
    options: { maxQueue: 0, loadMs: 3_600_000 },
    before: async (door) => {
      void door.post('/api/chat', { model: 'llama3.2' }).catch(() => {});
      await door.fake.waitFor((report) => report.waiting === 1);
    },
  },
  'error-403-cloud-disabled.json': { options: { cloudDisabled: true } },
  'error-401-signin.json': {},
  'error-404-route.txt': {},
  'error-405-method.txt': {},
  'error-403-origin.txt': { headers: { origin: 'https://evil.example' } },
  'generate-basic.ndjson': { steps: [say('Rayleigh scattering')] },
  'generate-context.ndjson': { steps: [say('The sky')] },
  'generate-raw.ndjson': { steps: [say(' blue')] },
  'generate-thinking.ndjson': { steps: [think('Yes'), say('ok')] },
  'generate-nonstream.json': { steps: [say('Blue')] },
  'generate-load.json': {},
  'generate-unload.json': {},
  'pull-progress.ndjson': {
    // Slow enough for records between, fast enough for a test.
    options: { models: [], pullBytesPerSecond: 10_000_000_000 },
  },
  'pull-cached.ndjson': {},
  'pull-update-prune.ndjson': {
    options: { registry: [{ name: 'llama3.2', sizeBytes: 2_019_393_189 }] },
    before: (door) =>
      door.post('/api/create', { model: 'llama3.2', from: 'llama3.2', system: 'x' }).then((r) => r.text()),
  },
  'pull-error-midstream.ndjson': {},
  'pull-error-nonstream.json': {},
  'pull-nonstream.json': {},
  'push-progress.ndjson': {},
  'push-error-missing.ndjson': {},
  'create-from-model.ndjson': {},
  'create-quantize.ndjson': {
    before: async (door) => {
      const gguf = new TextEncoder().encode('GGUF and more');
      const hash = Buffer.from(await crypto.subtle.digest('SHA-256', gguf)).toString('hex');
      await door.fetch(`/api/blobs/sha256:${hash}`, { method: 'POST', body: gguf });
      return { model: 'x', files: { 'm.gguf': `sha256:${hash}` }, quantize: 'q4_K_M', system: 'x' };
    },
  },
  'create-error-400.json': {},
  'embed.json': {},
  'embed-empty.json': {},
  'embeddings-legacy.json': {},
  'tags-empty.json': { options: { models: [] } },
  'ps.json': {
    before: (door) => door.post('/api/chat', { model: 'llama3.2', keep_alive: '10m' }).then((r) => r.text()),
  },
  'ps-empty.json': {},
  'version.json': {},
  'status.json': {},
  'root.txt': {},
  'delete-ok.txt': {},
  'openai-chat-stream-usage.sse': { steps: [say('Hello!')] },
  'openai-chat-stream-tools.sse': { steps: [weather('Paris'), weather('Oslo')] },
  'openai-chat-stream-reasoning.sse': { steps: [think('Two'), thinkAndSay(' two.', '4')] },
  'openai-chat-stream-midstream-error.sse': { steps: [say('The answer'), error('unexpected EOF')] },
  'openai-chat-nonstream.json': { steps: [say('Hello!')] },
  'openai-chat-nonstream-tools.json': { steps: [weather('Paris')] },
  'openai-completions-stream-usage.sse': { steps: [say('blue')] },
  'openai-error-404.json': {},
  'openai-error-400-messages.json': {},
  'openai-error-400-effort.json': {},
  'openai-error-401-native-shape.json': {},
  'openai-error-503.json': {
    options: { maxQueue: 0, loadMs: 3_600_000 },
    before: async (door) => {
      void door.post('/api/chat', { model: 'llama3.2' }).catch(() => {});
      await door.fake.waitFor((report) => report.waiting === 1);
    },
  },
  'openai-models.json': {},
  'openai-models-empty.json': { options: { models: [] } },
  'openai-model.json': {},
  'openai-embeddings.json': {},
  'openai-embeddings-base64.json': {},
  'openai-responses-stream.sse': { steps: [say('Hello')] },
  'anthropic-stream-basic.sse': { steps: [say('Hello!')] },
  'anthropic-stream-thinking-tool.sse': { steps: [think('Use'), weather('Paris')] },
  'anthropic-stream-midstream-error.sse': { steps: [say('The'), error('unexpected EOF')] },
  'anthropic-nonstream.json': { steps: [say('Hello!')] },
  'anthropic-error-404.json': {},
  'anthropic-error-400-max-tokens.json': {},
  'show.json': {},
  'tags.json': {},
};

/** Transcripts of what this stand-in is not: they can be replayed, and it never answers so by itself. */
const notOurs: Record<string, string> = {
  'chat-cloud-remote.ndjson': 'a stub for a model of the cloud: there is no cloud behind the stand-in',
  'chat-legacy-error-first-line.ndjson': 'a server before v0.12.6',
  'openai-chat-stream-legacy.sse': 'a server before v0.32.6',
  'pull-safetensors.ndjson': 'a model in another format than GGUF',
  'ps-forever-and-stopping.json': 'a runner that hangs while it is unloaded',
  'tags.json': 'lists a stub for a model of the cloud; E5 compares the others',
  'show.json': 'parameters and tensors, which a stand-in has none of; E5 compares the others',
};

describe.skipIf(!hasFixtures)('the stand-in answers the requests of the transcripts as they do', () => {
  it('every transcript is compared or says why not', () => {
    const known = new Set([...Object.keys(settings), ...Object.keys(notOurs)]);
    expect(transcripts.map(({ file }) => file).filter((file) => !known.has(file))).toEqual([]);
  });

  it.each(transcripts.filter(({ file }) => !(file in notOurs)).map((one) => [one.file, one] as const))(
    '%s',
    async (file, one) => {
      const { steps, options, before, body, headers } = settings[file] as Setting;
      const door = await inProcess.open({ models, pullBytesPerSecond: Number.POSITIVE_INFINITY, ...options });
      const changed = await before?.(door);
      if (steps) door.fake.script(steps);
      const own = body ?? (typeof changed === 'object' && changed !== null ? changed : undefined);
      const response = await door.fetch(one.request.path, {
        ...initOf(one),
        ...(own === undefined ? {} : { body: JSON.stringify(own) }),
        ...(headers ? { headers } : {}),
      });
      const text = await response.text();
      const wanted = transcript(file).toString('utf8');
      expect(response.status).toBe(one.status);
      expect(response.headers.get('content-type')).toBe(one.contentType);
      for (const [name, value] of Object.entries(one.headers ?? {}))
        expect(response.headers.get(name)).toBe(value);
      expect(text.endsWith('\n')).toBe(wanted.endsWith('\n'));
      if (
        one.status >= 400 &&
        !file.includes('context-native') &&
        !file.includes('signin') &&
        !file.includes('native-shape')
      ) {
        // Errors are compared to the letter, but for what is made up: ids, and the words of a scripted failure.
        if (!file.includes('prestream')) expect(withoutIds(text)).toBe(withoutIds(wanted));
      }
      expect(shapesOf(text)).toEqual(shapesOf(wanted));
      door.fake.reset();
    },
  );
});

const withoutIds = (text: string) => text.replace(/req_[0-9a-f]{24}/g, 'req_');
