import type { UsageEvent } from '@ziggie/llm-protocol';
import * as z from 'zod';
import type { Framing } from '../../answer/framing.ts';
import { aroundText } from '../../answer/json-string.ts';
import { parseGenerate } from '../../request/chat-shape.ts';
import { parse } from '../../request/parse.ts';
import { sse } from '../json-forms.ts';
import { present } from '../read-parts.ts';
import type { AnswerForm, Asked, RunFacts, WholeAnswer } from '../surface.ts';
import { openAiFraming } from './framing.ts';
import { sampling, samplingOptions, streamOptions } from './sampling.ts';
import { seconds, usageOf } from './write-chat.ts';

const schema = z.object({
  ...sampling,
  model: z.string().min(1),
  prompt: z.union([z.string(), z.array(z.string()).length(1)]),
  suffix: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: streamOptions,
  n: z.literal(1).nullish(),
});

/** Reads a body of `/v1/completions`: one prompt, one choice. @throws {KitFailure} `bad_request` */
export function readCompletion(value: unknown): Asked {
  const wire = parse(schema, value);
  const body = parseGenerate({
    model: wire.model,
    prompt: typeof wire.prompt === 'string' ? wire.prompt : wire.prompt[0],
    ...present({ suffix: wire.suffix }),
    ...samplingOptions(wire, undefined),
  });
  return { body, form: completionForm(wire.stream === true, wire.stream_options?.include_usage === true) };
}

function completionForm(streams: boolean, wantsUsage: boolean): AnswerForm {
  return { streams, framing: (facts) => completionFraming(facts, wantsUsage), whole };
}

function completionFraming(facts: RunFacts, wantsUsage: boolean): Framing {
  const head = {
    id: `cmpl-${facts.id}`,
    object: 'text_completion',
    created: seconds(facts),
    model: facts.model,
  };
  const chunk = (choices: unknown[], more: Record<string, unknown> = {}) =>
    sse({ ...head, choices, ...more });
  const textChunk = () => aroundText((text) => chunk([{ text, index: 0, finish_reason: null }]));
  let ofText = textChunk();
  let usage: UsageEvent | undefined;
  return openAiFraming((event) => {
    switch (event.type) {
      case 'start':
        head.id = `cmpl-${event.id}`;
        ofText = textChunk();
        return '';
      case 'text-delta':
        return ofText(event.text);
      case 'usage':
        usage = event;
        return '';
      case 'done': {
        const counts = wantsUsage && usage ? chunk([], { usage: usageOf(usage) }) : '';
        return `${chunk([{ text: '', index: 0, finish_reason: endOf(event.finishReason) }])}${counts}data: [DONE]\n\n`;
      }
      default:
        return undefined;
    }
  });
}

function whole({ text, usage, done }: WholeAnswer, facts: RunFacts): unknown {
  return {
    id: `cmpl-${facts.id}`,
    object: 'text_completion',
    created: seconds(facts),
    model: facts.model,
    choices: [{ text, index: 0, finish_reason: endOf(done.finishReason) }],
    ...(usage ? { usage: usageOf(usage) } : {}),
  };
}

/** A completion has no tools: it stopped, or it was cut at its length. */
function endOf(reason: 'stop' | 'length' | 'tool_calls'): 'stop' | 'length' {
  return reason === 'length' ? 'length' : 'stop';
}
