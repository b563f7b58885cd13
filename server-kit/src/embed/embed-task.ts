import type { DoneEvent, UsageEvent } from '@ziggie/llm-protocol';
import type { AnswerRun } from '../answer/answer-run.ts';
import type { Task } from '../routes/task.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import type { UpstreamDialect } from '../upstreams/upstream-settings.ts';
import type { EmbedBody } from './embed-body.ts';
import { EmbedDecoder } from './embed-decoder.ts';

/** What is asked of a model that turns texts into vectors. `onDecoder` gets the reader of each try. */
export function embedTask(body: EmbedBody, onDecoder: (decoder: EmbedDecoder) => void): Task {
  const { model: asked, input } = body;
  const bytes = input.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    asked,
    size: { bytes, messages: input.length, images: 0 },
    wantedTokens: 0,
    holdsBack: false,
    isWritten: false,
    promptParts: () => [],
    callFor: (dialect, model) => embedCall(dialect, model, body),
    decoderFor: (dialect) => {
      const decoder = new EmbedDecoder(dialect, input.length, Math.ceil(bytes / 4));
      onDecoder(decoder);
      return decoder;
    },
  };
}

function embedCall(dialect: UpstreamDialect, model: string, { input, dimensions, truncate }: EmbedBody) {
  return dialect === 'ollama'
    ? { path: '/api/embed', body: JSON.stringify({ model, input, dimensions, truncate }) }
    : { path: '/embeddings', body: JSON.stringify({ model, input, dimensions, encoding_format: 'float' }) };
}

/** Waits for the vectors of a run. @throws {KitFailure} */
export async function endOfEmbedding(run: AnswerRun): Promise<{ usage: UsageEvent; done: DoneEvent }> {
  let usage: UsageEvent | undefined;
  for (;;) {
    for (const event of await run.next()) {
      if (event.type === 'usage') usage = event;
      else if (event.type === 'done' && usage) return { usage, done: event };
    }
    if (run.ended) throw upstreamFailure('truncated', 'ended without vectors');
  }
}
