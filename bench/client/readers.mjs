/** Every client with the wires it reads: each gives the length of the text it was told, through its public way of streaming. */
import Anthropic from '@anthropic-ai/sdk';
import { ChatOllama } from '@langchain/ollama';
import { fetchServerSentEvents } from '@tanstack/ai-client';
import { streamText as xsaiStreamText } from '@xsai/stream-text';
import { streamText } from 'ai';
import { Ollama } from 'ollama';
import { createOllama } from 'ollama-ai-provider-v2';
import OpenAI from 'openai';
import { createClient } from '../../packages/client/dist/index.js';
import { answer } from './wires.mjs';

const messages = [{ role: 'user', content: 'hi' }];
const ndjson = 'application/x-ndjson';
const sse = 'text/event-stream';

/** What cannot be saved: take the chunks, decode them, cut at the separator, parse. */
const floor = (separator, prefix, textOf) => async (bytes, size) => {
  const decoder = new TextDecoder();
  const reader = answer(bytes, size, '').body.getReader();
  let rest = '';
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest += decoder.decode(value, { stream: true });
    let end = rest.indexOf(separator);
    if (end === -1) continue;
    let from = 0;
    while (end !== -1) {
      const at = prefix === '' ? from : rest.indexOf(prefix, from) + prefix.length;
      if (!rest.startsWith('[DONE]', at)) length += textOf(JSON.parse(rest.slice(at, end)));
      from = end + separator.length;
      end = rest.indexOf(separator, from);
    }
    rest = rest.slice(from);
  }
  return length;
};

const ours = (target, contentType, framing) => async (bytes, size) => {
  const fetch = async () => answer(bytes, size, contentType);
  const client = createClient({ baseUrl: 'http://bench.test', target, framing, fetch });
  let length = 0;
  for await (const event of client.chat({ model: 'llama3.2', messages })) {
    if (event.type === 'text-delta') length += event.text.length;
  }
  return length;
};

async function textLength(stream) {
  let length = 0;
  for await (const text of stream) length += text.length;
  return length;
}

export const floorName = 'floor (split + JSON.parse)';

/** By wire: name of the reader and how it reads. Names of peers are their packages. */
export const readers = {
  'NDJSON (Ollama)': {
    [floorName]: floor('\n', '', (record) => record.message.content.length),
    '@ziggie/llm-client': ours('ollama', ndjson),
    ollama: async (bytes, size) => {
      const client = new Ollama({
        host: 'http://bench.test',
        fetch: async () => answer(bytes, size, ndjson),
      });
      let length = 0;
      for await (const part of await client.chat({ model: 'llama3.2', messages, stream: true })) {
        length += part.message.content.length;
      }
      return length;
    },
    '@langchain/ollama': async (bytes, size) => {
      const model = new ChatOllama({
        model: 'llama3.2',
        baseUrl: 'http://bench.test',
        fetch: async () => answer(bytes, size, ndjson),
      });
      let length = 0;
      for await (const part of await model.stream('hi')) length += part.content.length;
      return length;
    },
    'ollama-ai-provider-v2': async (bytes, size) => {
      const provider = createOllama({
        baseURL: 'http://bench.test/api',
        fetch: async () => answer(bytes, size, ndjson),
      });
      return textLength(streamText({ model: provider('llama3.2'), prompt: 'hi' }).textStream);
    },
  },
  'SSE (OpenAI)': {
    [floorName]: floor('\n\n', 'data: ', (record) => record.choices[0].delta.content?.length ?? 0),
    '@ziggie/llm-client': ours('openai', sse),
    openai: async (bytes, size) => {
      const client = new OpenAI({
        apiKey: 'x',
        baseURL: 'http://bench.test/v1',
        fetch: async () => answer(bytes, size, sse),
      });
      let length = 0;
      for await (const part of await client.chat.completions.create({ model: 'm', messages, stream: true })) {
        length += part.choices[0]?.delta.content?.length ?? 0;
      }
      return length;
    },
    '@xsai/stream-text': async (bytes, size) => {
      const { textStream } = xsaiStreamText({
        baseURL: 'http://bench.test/v1/',
        model: 'm',
        messages,
        fetch: async () => answer(bytes, size, sse),
      });
      return textLength(textStream);
    },
  },
  'SSE (Anthropic)': {
    [floorName]: floor('\n\n', 'data: ', (record) => record.delta?.text?.length ?? 0),
    '@anthropic-ai/sdk': async (bytes, size) => {
      const client = new Anthropic({
        apiKey: 'x',
        baseURL: 'http://bench.test',
        fetch: async () => answer(bytes, size, sse),
      });
      let length = 0;
      const stream = await client.messages.create({ model: 'claude', max_tokens: 9, messages, stream: true });
      for await (const event of stream) {
        if (event.type === 'content_block_delta') length += event.delta.text.length;
      }
      return length;
    },
  },
  'SSE (AG-UI)': {
    [floorName]: floor('\n\n', 'data: ', (record) => record.delta?.length ?? 0),
    '@tanstack/ai-client': async (bytes, size) => {
      const adapter = fetchServerSentEvents('http://bench.test/chat', {
        fetchClient: async () => answer(bytes, size, sse),
      });
      let length = 0;
      for await (const event of adapter.connect(messages)) length += event.delta?.length ?? 0;
      return length;
    },
  },
  'NDJSON (kit)': {
    [floorName]: floor('\n', '', (record) => record.text?.length ?? 0),
    '@ziggie/llm-client': ours('kit', ndjson),
  },
  'SSE (kit)': {
    [floorName]: floor('\n\n', 'data: ', (record) => record.text?.length ?? 0),
    '@ziggie/llm-client': ours('kit', sse, 'sse'),
  },
};
