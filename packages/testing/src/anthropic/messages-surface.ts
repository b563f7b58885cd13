import { goJson } from '../ollama/go-json.ts';
import { type ContentPiece, type EndPiece, figuresOf, type ToolPiece } from '../wire/pieces.ts';
import type { Surface } from '../wire/surface.ts';

/** What the events of one answer share. */
export interface MessagesSurfaceOptions {
  /** `msg_` and 24 hexadecimal digits. */
  id: string;
  model: string;
  /** The guess that stands in `message_start`: characters of the request by four. */
  guessedTokens: number;
}

type Block = 'text' | 'thinking';

/** `/v1/messages` as Ollama serves it: no `ping`, no signature, one `input_json_delta` for each tool. */
export function messagesSurface({ id, model, guessedTokens }: MessagesSurfaceOptions): Surface {
  let started = false;
  let index = -1;
  let open: Block | undefined;
  let called = false;
  const event = (type: string, members: object) =>
    `event: ${type}\ndata: ${goJson({ type, ...members })}\n\n`;
  const start = (): string[] => {
    if (started) return [];
    started = true;
    const usage = { input_tokens: guessedTokens, output_tokens: 0 };
    const message = { id, type: 'message', role: 'assistant', model, content: [], usage };
    return [event('message_start', { message })];
  };
  const close = (): string[] => {
    if (!open) return [];
    open = undefined;
    return [event('content_block_stop', { index })];
  };
  const delta = (kind: Block, text: string): string[] => {
    const frames: string[] = [];
    if (open !== kind) {
      frames.push(...close());
      open = kind;
      index++;
      frames.push(event('content_block_start', { index, content_block: { type: kind, [kind]: '' } }));
    }
    frames.push(event('content_block_delta', { index, delta: { type: `${kind}_delta`, [kind]: text } }));
    return frames;
  };
  const tool = (piece: ToolPiece): string[] => {
    const frames = close();
    called = true;
    index++;
    const block = { type: 'tool_use', id: piece.id, name: piece.name, input: {} };
    const partial = { type: 'input_json_delta', partial_json: goJson(piece.arguments) };
    frames.push(
      event('content_block_start', { index, content_block: block }),
      event('content_block_delta', { index, delta: partial }),
      event('content_block_stop', { index }),
    );
    return frames;
  };
  const reasonOf = (end: EndPiece, calls: boolean) => {
    if (end.finish.reason !== undefined) return end.finish.reason ?? undefined;
    if (calls) return 'tool_use';
    return end.reason === 'length' ? 'max_tokens' : 'end_turn';
  };
  const usageOf = (end: EndPiece) => {
    const { promptTokens, tokens } = figuresOf(end);
    return { input_tokens: promptTokens, output_tokens: tokens };
  };
  const framesOf = (piece: ContentPiece | EndPiece): string[] => {
    if (piece.kind === 'tool') return tool(piece);
    if (piece.kind === 'mixed') return [...delta('thinking', piece.thinking), ...delta('text', piece.text)];
    if (piece.kind !== 'end') return delta(piece.kind, piece.text);
    const frames = [...piece.tools.flatMap(tool), ...close()];
    const last = { delta: { stop_reason: reasonOf(piece, called) }, usage: usageOf(piece) };
    frames.push(event('message_delta', last));
    if (piece.finish.marker !== false) frames.push(event('message_stop', {}));
    return frames;
  };
  return {
    dialect: 'anthropic',
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
    heartbeat: 'event: ping\ndata: {"type":"ping"}\n\n',
    frame: (payload) => `data: ${payload}\n\n`,
    // Nothing more is written: no error, no end of the block, no end of the message.
    lateFailure: () => [],
    frames: (piece) => [...start(), ...framesOf(piece)],
    whole({ text, thinking, tools, end }) {
      const content = [
        ...(thinking === '' ? [] : [{ type: 'thinking', thinking }]),
        ...(text === '' ? [] : [{ type: 'text', text }]),
        ...tools.map((piece) => ({
          type: 'tool_use',
          id: piece.id,
          name: piece.name,
          input: piece.arguments,
        })),
      ];
      const message = {
        id,
        type: 'message',
        role: 'assistant',
        model,
        content,
        stop_reason: reasonOf(end, tools.length > 0),
        usage: usageOf(end),
      };
      return { status: 200, headers: { 'content-type': 'application/json' }, body: `${goJson(message)}\n` };
    },
  };
}
