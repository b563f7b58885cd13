import { type GenerationRequest, runGeneration } from '../ollama/generation.ts';
import { ClientLeft, Cut, HttpFailure } from '../ollama/http-failure.ts';
import type { Incoming, Outgoing, Pieces, World } from '../ollama/world.ts';
import type { FramePayload, Shape } from '../script/step-types.ts';
import { endOf } from './end.ts';
import type { ContentPiece, EndPiece, Piece, ToolPiece } from './pieces.ts';
import { shaped } from './shape.ts';
import type { Surface } from './surface.ts';
import { tornFrame } from './torn.ts';

/** One request for words that has passed every check. */
export interface Exchange {
  world: World;
  incoming: Incoming;
  surface: Surface;
  request: GenerationRequest;
  stream: boolean;
}

/** Answers in records or in one, shaped as the script says. */
export async function answerExchange(exchange: Exchange): Promise<Outgoing> {
  const shapes = exchange.request.steps.flatMap((step) => (step.kind === 'shape' ? [step.shape] : []));
  const shape: Shape = Object.assign({}, ...shapes);
  const outgoing = await (exchange.stream ? answerStreaming(exchange) : answerWhole(exchange));
  const { world, incoming } = exchange;
  return shapes.length === 0 ? outgoing : shaped(outgoing, shape, world.clock, incoming.signal);
}

async function answerStreaming(exchange: Exchange): Promise<Outgoing> {
  const pieces = records(exchange);
  // The status line goes out with the first record: until then a failure has a status of its own.
  const first = await pieces.next();
  return { status: 200, headers: { ...exchange.surface.headers }, body: resume(first, pieces) };
}

async function* records({ world, incoming, surface, request }: Exchange): Pieces {
  let sent = false;
  try {
    for await (const piece of runGeneration(world, request)) {
      if (piece.kind === 'end') {
        const frames = surface.frames(piece);
        incoming.onRecord();
        incoming.onComplete();
        yield* frames;
      } else if (isContent(piece)) {
        incoming.onRecord();
        yield* surface.frames(piece);
      } else yield* special(surface, piece);
      sent = true;
    }
  } catch (cause) {
    // From here on the answer is over: who leaves now does not leave before the end.
    if (!(cause instanceof ClientLeft)) incoming.onComplete();
    if (cause instanceof Cut && cause.how === 'end') return;
    if (!(sent && cause instanceof HttpFailure)) throw cause;
    incoming.onRecord();
    yield* surface.lateFailure(cause);
  }
}

function isContent(piece: Piece): piece is ContentPiece {
  return ['text', 'thinking', 'mixed', 'tool'].includes(piece.kind);
}

/** What a script puts between the records. */
function* special(
  surface: Surface,
  piece: Exclude<Piece, ContentPiece | EndPiece>,
): Generator<string | Uint8Array<ArrayBuffer>, void, void> {
  const payloadFor = (payload: FramePayload) =>
    typeof payload === 'string' ? payload : payload[surface.dialect];
  switch (piece.kind) {
    case 'raw':
      yield bytesOf(piece.bytes);
      return;
    case 'frame': {
      const payload = payloadFor(piece.payload);
      if (payload !== undefined) yield surface.frame(payload);
      return;
    }
    case 'flood': {
      const pattern = payloadFor(piece.pattern);
      if (pattern) yield* repeated(pattern, piece.bytes);
      return;
    }
    case 'torn':
      yield tornFrame(surface.frames({ kind: 'text', text: piece.text }).join(''), piece.text);
      return;
    case 'heartbeat':
      yield surface.heartbeat;
      return;
    case 'flush':
      yield '';
  }
}

const FLOOD_WRITE_BYTES = 65_536;

function* repeated(pattern: string, bytes: number): Generator<Uint8Array<ArrayBuffer>, void, void> {
  const one = bytesOf(pattern.repeat(Math.max(1, Math.floor(FLOOD_WRITE_BYTES / pattern.length))));
  for (let left = bytes; left > 0; left -= one.length) yield left < one.length ? one.slice(0, left) : one;
}

/** Answers in one record, with the texts joined. */
async function answerWhole({ world, incoming, surface, request }: Exchange): Promise<Outgoing> {
  let text = '';
  let thinking = '';
  const raw: Uint8Array<ArrayBuffer>[] = [];
  const tools: ToolPiece[] = [];
  try {
    for await (const piece of runGeneration(world, request)) {
      if (piece.kind === 'text') text += piece.text;
      else if (piece.kind === 'thinking') thinking += piece.text;
      else if (piece.kind === 'mixed') {
        thinking += piece.thinking;
        text += piece.text;
      } else if (piece.kind === 'tool') tools.push(piece);
      else if (piece.kind === 'raw') raw.push(bytesOf(piece.bytes));
      else if (piece.kind === 'torn') throw new Cut('close');
      else if (piece.kind === 'end') {
        incoming.onRecord();
        incoming.onComplete();
        tools.push(...piece.tools);
        return withRaw(surface.whole({ text, thinking, tools, end: { ...piece, tools: [] } }), raw);
      }
    }
  } catch (cause) {
    // One JSON text that breaks off in the middle is what a cut looks like here.
    const hasContent = text !== '' || thinking !== '' || tools.length > 0;
    if (!(cause instanceof Cut) || (cause.how !== 'end' && !hasContent)) throw cause;
    incoming.onComplete();
    return halfOf(surface.whole({ text, thinking, tools, end: endOf() }), cause);
  }
  throw new Cut('end');
}

async function* resume(first: IteratorResult<string | Uint8Array<ArrayBuffer>, void>, rest: Pieces): Pieces {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

/** A copy, so that what a test does to its own array later changes nothing. */
function bytesOf(bytes: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof bytes === 'string' ? new TextEncoder().encode(bytes) : new Uint8Array(bytes);
}

/** The scripted bytes come before the answer. */
function withRaw(outgoing: Outgoing, raw: readonly Uint8Array<ArrayBuffer>[]): Outgoing {
  if (raw.length === 0 || typeof outgoing.body !== 'string') return outgoing;
  const { body } = outgoing;
  return {
    ...outgoing,
    body: (async function* () {
      yield* raw;
      yield body;
    })(),
  };
}

function halfOf(outgoing: Outgoing, cut: Cut): Outgoing {
  const body = String(outgoing.body);
  return {
    ...outgoing,
    body: (async function* () {
      yield body.slice(0, body.length / 2);
      if (cut.how !== 'end') throw cut;
    })(),
  };
}
