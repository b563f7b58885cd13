/**
 * Every contender through its public way of streaming, with its defaults: `open(url)` makes a client, `ask()` of it a
 * question. A question is read by iterating `text`, and ended by `abort()`: the client's own way, else a signal.
 */

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { ChatOllama } from '@langchain/ollama';
import { fetchServerSentEvents } from '@tanstack/ai-client';
import { streamText as xsaiStreamText } from '@xsai/stream-text';
import { streamText } from 'ai';
import { Ollama } from 'ollama';
import { createOllama } from 'ollama-ai-provider-v2';
import OpenAI from 'openai';
import { createClient } from '../../../packages/client/dist/index.js';

const messages = [{ role: 'user', content: 'What is it?' }];

/** What a stream of events says about its own failure, where a library tells instead of throwing. */
export class ToldAsEvent extends Error {
  constructor(name, cause) {
    super(name, { cause });
    this.name = name;
  }
}

const withSignal = (read) => {
  const leaving = new AbortController();
  return { text: read(leaving.signal), abort: () => leaving.abort() };
};

const ours = (target, framing) => (url, fetch) => {
  const client = createClient({ baseUrl: url, target, framing, fetch });
  return (model) => {
    const stream = client.chat({ model, messages });
    return {
      abort: () => stream.abort(),
      text: (async function* () {
        for await (const event of stream) if (event.type === 'text-delta') yield event.text;
      })(),
    };
  };
};

/** `fullStream`, as its makers advise: the stream of text alone drops failures. */
async function* partsOf(result) {
  for await (const part of result.fullStream) {
    if (part.type === 'text-delta') yield part.text;
    else if (part.type === 'error') throw part.error;
    else if (part.type === 'abort') throw new ToldAsEvent('abort part');
  }
}

/** By name; `of` is the package, `wire` what it is spoken to with. */
export const clients = {
  'ours, NDJSON (Ollama)': { of: '@ziggie/llm-client', wire: 'ollama', open: ours('ollama') },
  'ours, SSE (OpenAI)': { of: '@ziggie/llm-client', wire: 'openai', open: ours('openai') },
  'ours, NDJSON (kit)': { of: '@ziggie/llm-client', wire: 'kit', open: ours('kit') },
  'ours, SSE (kit)': { of: '@ziggie/llm-client', wire: 'kit-sse', open: ours('kit', 'sse') },
  ollama: {
    of: 'ollama',
    wire: 'ollama',
    open(url) {
      const client = new Ollama({ host: url });
      return (model) => {
        let stream;
        return {
          abort: () => (stream ? stream.abort() : client.abort()),
          text: (async function* () {
            stream = await client.chat({ model, messages, stream: true });
            for await (const part of stream) yield part.message.content;
          })(),
        };
      };
    },
  },
  'openai create()': {
    of: 'openai',
    wire: 'openai',
    open(url) {
      const client = new OpenAI({ apiKey: 'x', baseURL: `${url}/v1` });
      return (model) =>
        withSignal(async function* (signal) {
          const stream = await client.chat.completions.create({ model, messages, stream: true }, { signal });
          for await (const part of stream) yield part.choices[0]?.delta?.content ?? '';
        });
    },
  },
  'openai stream()': {
    of: 'openai',
    wire: 'openai',
    open(url) {
      const client = new OpenAI({ apiKey: 'x', baseURL: `${url}/v1` });
      return (model) => {
        let stream;
        return {
          abort: () => stream.abort(),
          text: (async function* () {
            stream = client.chat.completions.stream({ model, messages });
            for await (const part of stream) yield part.choices[0]?.delta?.content ?? '';
          })(),
        };
      };
    },
  },
  '@anthropic-ai/sdk': {
    of: '@anthropic-ai/sdk',
    wire: 'anthropic',
    open(url) {
      const client = new Anthropic({ apiKey: 'x', baseURL: url });
      return (model) =>
        withSignal(async function* (signal) {
          const body = { model, max_tokens: 4096, messages, stream: true };
          for await (const event of await client.messages.create(body, { signal })) {
            if (event.type === 'content_block_delta') yield event.delta.text ?? '';
          }
        });
    },
  },
  'ai + openai-compatible': {
    of: 'ai',
    with: '@ai-sdk/openai-compatible',
    wire: 'openai',
    open(url) {
      const provider = createOpenAICompatible({ name: 'stand-in', baseURL: `${url}/v1`, apiKey: 'x' });
      return (model) =>
        withSignal((abortSignal) => partsOf(streamText({ model: provider(model), messages, abortSignal })));
    },
  },
  'ai + ollama-v2': {
    of: 'ai',
    with: 'ollama-ai-provider-v2',
    wire: 'ollama',
    open(url) {
      const provider = createOllama({ baseURL: `${url}/api` });
      return (model) =>
        withSignal((abortSignal) => partsOf(streamText({ model: provider(model), messages, abortSignal })));
    },
  },
  '@tanstack/ai-client': {
    of: '@tanstack/ai-client',
    wire: 'agui',
    open(url) {
      const adapter = fetchServerSentEvents(`${url}/chat`);
      return (model) =>
        withSignal(async function* (signal) {
          const asked = [{ role: 'user', content: model === 'stand-in' ? 'What is it?' : model }];
          for await (const event of adapter.connect(asked, undefined, signal)) {
            if (event.type === 'TEXT_MESSAGE_CONTENT') yield event.delta;
            else if (event.type === 'RUN_ERROR') throw new ToldAsEvent('RUN_ERROR event', event.message);
          }
        });
    },
  },
  '@langchain/ollama': {
    of: '@langchain/ollama',
    wire: 'ollama',
    open(url) {
      const models = new Map();
      return (name) => {
        const model = models.get(name) ?? new ChatOllama({ model: name, baseUrl: url });
        models.set(name, model);
        return withSignal(async function* (signal) {
          for await (const part of await model.stream('What is it?', { signal })) yield part.content;
        });
      };
    },
  },
  '@xsai/stream-text': {
    of: '@xsai/stream-text',
    wire: 'openai',
    open: (url) => (model) =>
      withSignal(async function* (abortSignal) {
        const { fullStream } = xsaiStreamText({
          baseURL: `${url}/v1/`,
          apiKey: 'x',
          model,
          messages,
          abortSignal,
        });
        for await (const event of fullStream) {
          if (event.type === 'text-delta') yield event.text;
          else if (event.type === 'error') throw new ToldAsEvent('error event', event.error);
        }
      }),
  },
};
