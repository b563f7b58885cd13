import { expect, test } from 'vitest';
import { routeTable } from '../../src/routes/route-table.ts';
import { type LimitedSurface, limitsContract } from './limits.contract.ts';

const chat = (prompt: string, model: string) => ({
  model,
  messages: [{ role: 'user', content: prompt }],
  stream: false,
});
const generate = (prompt: string, model: string) => ({ model, prompt, stream: false });
const native = {
  wants: (tokens: number) => ({ max_tokens: tokens }),
  takesKeyHeader: false,
  hasOpenAiHeaders: false,
};

const foreign = { takesKeyHeader: false, hasOpenAiHeaders: false };
const openAi = { takesKeyHeader: false, hasOpenAiHeaders: true };
const few = (tokens: number) => ({ max_tokens: tokens });

/** Every address that answers a prompt. A new surface is a line here. */
const surfaces: readonly LimitedSurface[] = [
  { path: '/chat', body: chat, ...native },
  { path: '/generate', body: generate, ...native },
  { path: '/generate-complete', body: (prompt, model) => ({ model, prompt }), ...native },
  { path: '/api/chat', body: chat, ...foreign, wants: (tokens) => ({ options: { num_predict: tokens } }) },
  {
    path: '/api/generate',
    body: generate,
    ...foreign,
    wants: (tokens) => ({ options: { num_predict: tokens } }),
  },
  {
    path: '/v1/chat/completions',
    body: chat,
    ...openAi,
    wants: (tokens) => ({ max_completion_tokens: tokens }),
  },
  { path: '/v1/completions', body: generate, ...openAi, wants: few },
  {
    path: '/v1/responses',
    body: (prompt, model) => ({ model, input: prompt }),
    ...openAi,
    wants: (tokens) => ({ max_output_tokens: tokens }),
  },
  {
    path: '/v1/messages',
    body: (prompt, model) => ({ ...chat(prompt, model), max_tokens: 64 }),
    wants: few,
    takesKeyHeader: true,
    hasOpenAiHeaders: true,
  },
];

for (const surface of surfaces) limitsContract(surface);

test('no address that answers a prompt is left out', () => {
  const answering = routeTable.filter(
    ({ method, permission, operation }) =>
      method === 'POST' && permission === 'chat' && operation !== 'ticket' && operation !== 'embed',
  );
  expect(surfaces.map(({ path }) => path)).toEqual(answering.map(({ path }) => path));
});
