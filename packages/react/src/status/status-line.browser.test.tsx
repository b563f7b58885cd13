import { createClient } from '@ziggie/llm-client';
import { StrictMode } from 'react';
import { expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { ZiggieChat } from '../../src/index.ts';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const line = (event: object) => `${JSON.stringify(event)}\n`;
const model = {
  name: 'kit-model',
  aliases: [],
  family: null,
  parameterSize: null,
  quantization: null,
  sizeBytes: null,
  contextLength: 8_192,
  capabilities: ['completion'],
  loaded: null,
};
const events = [
  { type: 'start', id: 'run-1', model: 'kit-model', upstreamModel: 'kit-model', resumable: true },
  { type: 'text-delta', text: 'Wer reitet so spät ' },
  { type: 'text-delta', text: 'durch Nacht und Wind?' },
  { type: 'done', finishReason: 'stop', timings: { totalMs: 5 } },
].map((event, seq) => line({ ...event, seq }));

/** A kit whose connection breaks after the first words, and whose next `refusals` tries fail. */
function brokenKit(refusals: number) {
  let left = refusals;
  const resumed: string[] = [];
  const answer = (lines: readonly string[], breaks: boolean) =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (const text of lines) controller.enqueue(new TextEncoder().encode(text));
          // Not before the words were read.
          if (breaks) setTimeout(() => controller.error(new TypeError('network error')), 50);
          else controller.close();
        },
      }),
      { headers: { 'content-type': 'application/x-ndjson' } },
    );
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname, searchParams } = new URL(input instanceof Request ? input.url : input, location.href);
    if (pathname.endsWith('/models')) return Response.json({ models: [model] });
    if ((init?.method ?? 'GET') === 'POST') return answer(events.slice(0, 2), true);
    if (left-- > 0) return new Response('', { status: 503 });
    resumed.push(searchParams.get('after') ?? '');
    return answer(events.slice(Number(searchParams.get('after')) + 1), false);
  };
  return { fetch, resumed };
}

it('a lost connection says how much is kept, and Try now does not wait for the next try', async () => {
  const { fetch, resumed } = brokenKit(1);
  const client = createClient({
    baseUrl: 'http://kit.test',
    fetch,
    resume: true,
    random: () => 1,
  });
  await render(
    <StrictMode>
      <ZiggieChat client={client} model="kit-model" userId="status" />
    </StrictMode>,
  );
  await userEvent.fill(page.getByRole('textbox', { name: 'Message', exact: true }), 'Recite');
  await userEvent.keyboard('{Enter}');
  await expect.element(page.getByText('Connection lost, picking up where it stopped')).toBeVisible();
  await expect.element(page.getByText('try 2, about 5 tokens kept')).toBeVisible();
  await expect.element(page.getByText('Wer reitet so spät')).toBeVisible();
  expect(resumed).toEqual([]);
  await userEvent.click(page.getByRole('button', { name: 'Try now' }));
  await expect.element(page.getByText('Wer reitet so spät durch Nacht und Wind?')).toBeVisible();
  expect(resumed).toEqual(['1']);
});
