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

/** Every address that answers a prompt. A new surface is a line here. */
const surfaces: readonly LimitedSurface[] = [
  { path: '/chat', body: chat, ...native },
  { path: '/generate', body: generate, ...native },
  { path: '/generate-complete', body: (prompt, model) => ({ model, prompt }), ...native },
];

for (const surface of surfaces) limitsContract(surface);

test('no address that answers a prompt is left out', () => {
  const answering = routeTable.filter(
    ({ method, permission, operation }) =>
      method === 'POST' && permission === 'chat' && operation !== 'ticket',
  );
  expect(surfaces.map(({ path }) => path)).toEqual(answering.map(({ path }) => path));
});
