import type { ChatMessage, Timings, Usage } from '@ziggie/llm-protocol';
import { remainingOptions } from '../derived/remaining-options.ts';
import { sumTimings, sumUsage } from '../derived/sum-usage.ts';
import { OutputError, type OutputIssue } from '../errors/output-error.ts';
import { withCallDetails } from '../errors/ziggie-error.ts';
import { clockBehind } from '../internals.ts';
import { type Checked, checkValue, tellIssues } from '../schema/check-value.ts';
import type { InputOf, OutputOf, StandardSchema } from '../schema/standard-schema.ts';
import type { Attempt, ChatResult, ZiggieClient } from '../types.ts';
import { findJson, JsonText } from './json-text.ts';
import type { DeepPartial, FailedTry, ObjectOptions, ObjectRequest, ObjectResult } from './types.ts';

const DEFAULT_REPAIRS = 2;

interface Work {
  messages: ChatMessage[];
  format: Record<string, unknown>;
  options: ObjectOptions;
  signal: AbortSignal;
}

/** Asks until an answer fits, and yields what is known of it while it is written. */
export async function* tries<Schema extends StandardSchema>(
  client: Pick<ZiggieClient, 'chat'>,
  { schema, jsonSchema: _, prompt: __, ...request }: ObjectRequest<Schema>,
  { messages, format, options, signal }: Work,
): AsyncGenerator<DeepPartial<InputOf<Schema>>, ObjectResult<OutputOf<Schema>>, void> {
  const clock = clockBehind(client);
  const startedAt = clock.now();
  const elapsedMs = (): number => Math.round((clock.now() - startedAt) * 1000) / 1000;
  const failedTries: FailedTry[] = [];
  const attempts: Attempt[] = [];
  let usage: Usage | undefined;
  let timings: Timings = {};
  for (;;) {
    const stream = client.chat(
      { ...request, messages, format },
      remainingOptions(options, signal, elapsedMs()),
    );
    let json = new JsonText();
    for await (const event of stream) {
      if (event.type === 'restart') json = new JsonText();
      else if (event.type === 'text-delta' && json.push(event.text)) {
        yield json.value as DeepPartial<InputOf<Schema>>;
      }
    }
    const { toolCalls: ___, ...answer } = await stream.final();
    attempts.push(...answer.attempts);
    timings = sumTimings(timings, answer.timings);
    if (answer.usage !== undefined) usage = sumUsage(usage, answer.usage);

    const { text, finishReason } = answer;
    const checked = await check(schema, text);
    if (checked.issues === undefined) {
      return {
        ...answer,
        ...(usage === undefined ? {} : { usage }),
        timings: { ...timings, totalMs: elapsedMs() },
        attempts,
        value: checked.value,
        failedTries,
      };
    }
    const { issues } = checked;
    failedTries.push({ text, issues });
    if (finishReason === 'length' || failedTries.length > (options.repairs ?? DEFAULT_REPAIRS)) {
      throw unfit(failedTries, attempts, { ...answer, toolCalls: [] });
    }
    messages = [
      ...messages,
      { role: 'assistant', content: text },
      { role: 'user', content: complaint(issues) },
    ];
  }
}

async function check<Schema extends StandardSchema>(
  schema: Schema,
  text: string,
): Promise<Checked<OutputOf<Schema>>> {
  const found = findJson(text);
  if (found === undefined) return { issues: [{ message: 'this is not JSON', path: [] }] };
  return checkValue<OutputOf<Schema>>(schema as StandardSchema<unknown, OutputOf<Schema>>, found.value);
}

function complaint(issues: readonly OutputIssue[]): string {
  return `Your answer does not fit the schema:\n${tellIssues(issues)}\nGive the whole answer again with this mended, as JSON and nothing else.`;
}

function unfit(failed: readonly FailedTry[], attempts: Attempt[], answer: ChatResult): OutputError {
  const { text, issues } = failed.at(-1) as FailedTry;
  const message =
    answer.finishReason === 'length'
      ? 'Reading an object: the answer was cut off at its longest length. Raise options.num_predict.'
      : `Reading an object: none of ${failed.length} answers fits the schema; "issues" says what is wrong with the last one.`;
  const { thinking, toolCalls } = answer;
  return withCallDetails(new OutputError(message, { text, issues }), {
    attempts,
    partial: { text, thinking, toolCalls },
    requestId: answer.requestId,
  });
}
