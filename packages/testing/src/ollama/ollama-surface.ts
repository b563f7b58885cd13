import type { ContentPiece, EndPiece, ToolPiece } from '../wire/pieces.ts';
import type { Surface } from '../wire/surface.ts';
import { json } from './answers.ts';
import { goJson } from './go-json.ts';
import { logprobsOf } from './logprobs.ts';
import type { RecordContent, RecordWriter, WireToolCall } from './records.ts';
import type { World } from './world.ts';

/** What the records of one answer share. */
export interface OllamaSurfaceOptions {
  world: World;
  /** Echoed in each record, not made canonical. */
  modelAsGiven: string;
  write: RecordWriter;
  /** The context for the last record, from the number of tokens written. */
  contextOf?: ((tokens: number) => readonly number[]) | undefined;
  /** How many alternatives each token names; `undefined`: no logprobs. */
  topLogprobs: number | undefined;
}

/** Ollama's own records, one on a line. */
export function ollamaSurface(options: OllamaSurfaceOptions): Surface {
  const { world, modelAsGiven, topLogprobs } = options;
  const record = (content: RecordContent) =>
    options.write(modelAsGiven, world.wallTime(world.clock.now()), content);
  const line = (content: RecordContent) => `${goJson(record(content))}\n`;
  const logprobs = (text: string) => (topLogprobs === undefined ? undefined : logprobsOf(text, topLogprobs));
  const ending = (end: EndPiece, tools: readonly ToolPiece[]): Omit<RecordContent, 'text'> => ({
    toolCalls: tools.length > 0 ? tools.map(wireCall) : undefined,
    doneReason: end.finish.reason === null ? undefined : (end.finish.reason ?? end.reason),
    done: end.finish.marker ?? true,
    figures: end.figures,
    context: end.figures && options.contextOf?.(end.figures.tokens),
  });
  return {
    dialect: 'ollama',
    headers: { 'content-type': 'application/x-ndjson' },
    heartbeat: '\n',
    frames(piece: ContentPiece | EndPiece) {
      if (piece.kind === 'end') return [line({ text: '', ...ending(piece, piece.tools) })];
      if (piece.kind === 'tool') return [line({ text: '', toolCalls: [wireCall(piece)] })];
      const { text } = piece;
      if (piece.kind === 'mixed') {
        const { thinking } = piece;
        return [line({ text, thinking, logprobs: logprobs(thinking + text) })];
      }
      if (piece.kind === 'thinking') return [line({ text: '', thinking: text, logprobs: logprobs(text) })];
      return [line({ text, logprobs: logprobs(text) })];
    },
    lateFailure: (failure) => [`${goJson({ error: failure.message, ...failure.members })}\n`],
    frame: (payload) => `${payload}\n`,
    whole({ text, thinking, tools, end }) {
      return json(record({ text, thinking, logprobs: logprobs(thinking + text), ...ending(end, tools) }));
    },
  };
}

function wireCall({ id, index, name, arguments: given }: ToolPiece): WireToolCall {
  return { id, function: { index, name, arguments: given } };
}
