import type { StreamEvent } from '@ziggie/llm-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aroundText, jsonString } from '../answer/json-string.ts';
import { messagesForm } from './anthropic/write-messages.ts';
import { ollamaForm } from './ollama/write-answer.ts';
import { readCompletion } from './openai/completions.ts';
import { chatForm } from './openai/write-chat.ts';
import type { AnswerForm, RunFacts } from './surface.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', ' token', '"', '\\', '\n', '\u0000text\u0000', '\u2028', '\ud800', '\udc00x', '😀'),
);

test('jsonString() writes a text as JSON does', () => {
  fc.assert(
    fc.property(text, (one) => {
      expect(jsonString(one)).toBe(JSON.stringify(one));
    }),
  );
});

test('aroundText() writes what it was given to write, whatever stands around the text', () => {
  fc.assert(
    fc.property(text, text, text, (name, one, after) => {
      const write = (content: string) => `data: ${JSON.stringify({ name, content, after })}\n\n`;
      expect(aroundText(write)(one)).toBe(write(one));
    }),
  );
});

const completion = () =>
  readCompletion({ model: 'm', prompt: 'Hi', stream: true, max_tokens: 5 }).form as AnswerForm;
const forms: [string, () => AnswerForm, (record: string) => unknown][] = [
  ['ollama chat', () => ollamaForm('chat', true), (r) => JSON.parse(r).message.content],
  ['ollama generate', () => ollamaForm('generate', true), (r) => JSON.parse(r).response],
  ['openai chat', () => chatForm(true, false), (r) => dataOf(r).choices[0].delta.content],
  ['openai completion', completion, (r) => dataOf(r).choices[0].text],
  ['anthropic messages', () => messagesForm(true), (r) => dataOf(r).delta.text],
];
const dataOf = (record: string) => JSON.parse(/^data: ([^\n]*)/m.exec(record)?.[1] ?? '');

test.each(forms)(
  '%s: every text comes out of its record as it went in, beside the name of the model',
  (_name, form, read) => {
    fc.assert(
      fc.property(text, fc.array(text, { minLength: 1, maxLength: 3 }), (model, texts) => {
        const facts: RunFacts = { id: 'r', requestId: 'q', model, now: () => 1e12, estimatedInputTokens: 1 };
        const framing = form().framing(facts);
        framing.encode({
          type: 'start',
          id: 'run_1',
          model,
          upstreamModel: model,
          resumable: false,
          seq: 0,
        } as StreamEvent);
        texts.forEach((one, at) => {
          const records = framing.encode({ type: 'text-delta', text: one, seq: at + 1 }).split('\n\n');
          const last = records.filter((record) => record.trim() !== '').at(-1) ?? '';
          expect(read(last)).toBe(one);
        });
      }),
    );
  },
);

test('an id that comes with the start stands in every chunk', () => {
  const facts: RunFacts = {
    id: 'before',
    requestId: 'q',
    model: 'm',
    now: () => 1e12,
    estimatedInputTokens: 1,
  };
  const framing = chatForm(true, false).framing(facts);
  framing.encode({
    type: 'start',
    id: 'run_1',
    model: 'm',
    upstreamModel: 'm',
    resumable: false,
    seq: 0,
  } as StreamEvent);
  expect(dataOf(framing.encode({ type: 'text-delta', text: 'a', seq: 1 })).id).toBe('chatcmpl-run_1');
});
