import { type DoneEvent, parseJson, type UsageEvent } from '@ziggie/llm-protocol';
import type { OllamaRecord } from '@ziggie/llm-protocol/ollama';
import type { Run } from './run.ts';

/** The numbers of the last record that are passed on, each checked to be one. */
const metrics = [
  'total_duration',
  'load_duration',
  'prompt_eval_count',
  'prompt_eval_duration',
  'eval_count',
  'eval_duration',
] as const;

/**
 * Reads a run to its end and gives it as one record in Ollama's own shape.
 *
 * @throws {KitFailure} when the run fails; nothing partial is ever given.
 */
export async function completeAnswer(run: Run, createdAt: Date): Promise<Record<string, unknown>> {
  const text: string[] = [];
  const thinking: string[] = [];
  const calls: Record<string, unknown>[] = [];
  const counted: OllamaRecord = {};
  while (!run.ended) {
    for (const event of await run.next()) {
      if (event.type === 'usage' || event.type === 'done') Object.assign(counted, countedIn(event));
      else if (event.type === 'text-delta') text.push(event.text);
      else if (event.type === 'thinking-delta') thinking.push(event.text);
      else if (event.type === 'tool-call') {
        calls.push({
          id: event.id,
          function: { index: calls.length, name: event.name, arguments: event.arguments },
        });
      }
    }
  }
  const isOllama = run.place?.upstream.dialect === 'ollama' && run.lastRecord !== undefined;
  const last = isOllama ? (parseJson(run.lastRecord) as OllamaRecord) : counted;
  const answer: Record<string, unknown> = { model: run.request.asked, created_at: createdAt.toISOString() };
  const content = text.join('');
  const more: Record<string, unknown> = {};
  if (thinking.length > 0) more['thinking'] = thinking.join('');
  if (calls.length > 0) more['tool_calls'] = calls;
  if (run.request.isChat) answer['message'] = { role: 'assistant', content, ...more };
  else Object.assign(answer, { response: content, ...more });
  answer['done'] = true;
  answer['done_reason'] = last.done_reason === 'length' ? 'length' : 'stop';
  for (const name of metrics) {
    const value = last[name];
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) answer[name] = value;
  }
  return answer;
}

/** What an upstream without Ollama's last record has said, in its form: nanoseconds, and tokens where they were counted. */
function countedIn(event: UsageEvent | DoneEvent): OllamaRecord {
  if (event.type === 'usage') {
    if (event.source !== 'upstream') return {};
    return { prompt_eval_count: event.inputTokens, eval_count: event.outputTokens };
  }
  const { finishReason, timings } = event;
  const record: OllamaRecord = { done_reason: finishReason === 'length' ? 'length' : 'stop' };
  const { totalMs, prefillMs, decodeMs } = timings;
  if (totalMs !== undefined) record.total_duration = Math.round(totalMs * 1e6);
  if (prefillMs !== undefined) record.prompt_eval_duration = Math.round(prefillMs * 1e6);
  if (decodeMs !== undefined) record.eval_duration = Math.round(decodeMs * 1e6);
  return record;
}
