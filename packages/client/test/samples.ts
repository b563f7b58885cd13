import type { ChatRequest } from '@ziggie/llm-protocol';

/** The smallest honest question. */
export const question: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };

/** A record of `/api/chat`. */
export function piece(content: string, more: object = {}): object {
  return {
    model: 'm',
    created_at: '2026-11-01T00:00:00Z',
    message: { role: 'assistant', content },
    done: false,
    ...more,
  };
}

/** The last record of `/api/chat`. */
export const last: object = piece('', {
  done: true,
  done_reason: 'stop',
  total_duration: 5_000_000,
  load_duration: 1_000_000,
  prompt_eval_count: 3,
  prompt_eval_duration: 1_000_000,
  eval_count: 2,
  eval_duration: 2_000_000,
});

export const start = {
  type: 'start',
  id: 'run-1',
  model: 'm',
  upstreamModel: 'm:latest',
  resumable: false,
} as const;
export const done = { type: 'done', finishReason: 'stop', timings: { totalMs: 5 } } as const;
export const text = (words: string): object => ({ type: 'text-delta', text: words });

/** The error that a promise rejects with; fails the test when it does not. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('Expected a failure, but it succeeded.');
}
