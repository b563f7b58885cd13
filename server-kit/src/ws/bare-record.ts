import type { StreamEvent } from '@ziggie/llm-protocol';

/**
 * Writes events as the records that Ollama's `/api/generate` streams, for clients that send a bare `{prompt, model}` and
 * read what `ollama` itself would have said: text in `response`, one record with `done: true` at the end, `{error}` for a
 * failure.
 */
export function bareRecordWriter(model: string, now: () => Date): (event: StreamEvent) => string | undefined {
  let counts: Record<string, number> = {};
  const record = (more: Record<string, unknown>) =>
    JSON.stringify({ model, created_at: now().toISOString(), ...more });
  return (event) => {
    switch (event.type) {
      case 'text-delta':
        return record({ response: event.text, done: false });
      case 'thinking-delta':
        return record({ response: '', thinking: event.text, done: false });
      case 'usage':
        counts = { prompt_eval_count: event.inputTokens, eval_count: event.outputTokens };
        return undefined;
      case 'done':
        return record({
          response: '',
          done: true,
          done_reason: event.finishReason === 'length' ? 'length' : 'stop',
          ...counts,
        });
      case 'error':
        return JSON.stringify({ error: event.message });
      default:
        return undefined;
    }
  };
}
