import { getResponse } from 'msw';
import { expect, it } from 'vitest';
import { createFakeOllama, createManualClock, say, stall } from '../src/index.ts';
import { ollamaHandlers } from '../src/msw.ts';

it('the handlers stream in a browser', async () => {
  const clock = createManualClock();
  const fake = createFakeOllama({ clock, tokensPerSecond: Number.POSITIVE_INFINITY });
  fake.script([say('first'), stall(1000), say(' last')]);
  const body = JSON.stringify({ model: 'stand-in', messages: [{ role: 'user', content: 'hi' }] });
  const request = new Request('http://127.0.0.1:11434/api/chat', { method: 'POST', body });
  const response = await getResponse(ollamaHandlers(fake), request);
  if (!response?.body) throw new Error('No handler answered.');
  const reader = response.body.getReader();
  const { value } = await reader.read();
  expect(new TextDecoder().decode(value)).toContain('"content":"first"');
  const next = reader.read();
  await clock.advance(1000);
  expect(new TextDecoder().decode((await next).value)).toContain(' last');
  await reader.cancel();
  await fake.waitFor((report) => report.openGenerations === 0);
});
