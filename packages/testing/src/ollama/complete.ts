import { json } from './answers.ts';
import { type Figures, type GenerationRequest, type Piece, runGeneration } from './generation.ts';
import { goJson } from './go-json.ts';
import { ClientLeft, Cut, HttpFailure } from './http-failure.ts';
import type { RecordContent, RecordWriter, WireToolCall } from './records.ts';
import type { Incoming, Outgoing, Pieces, World } from './world.ts';

/** One chat or generate request that has passed every check. */
export interface Completion {
  world: World;
  incoming: Incoming;
  /** Echoed in each record, not made canonical. */
  modelAsGiven: string;
  write: RecordWriter;
  request: GenerationRequest;
  /** The context for the last record, from the number of tokens written. */
  contextOf?: ((tokens: number) => readonly number[]) | undefined;
}

/** Answers in records, one piece each. */
export async function answerStreaming(completion: Completion): Promise<Outgoing> {
  const pieces = records(completion);
  const first = await pieces.next();
  return {
    status: 200,
    headers: { 'content-type': 'application/x-ndjson' },
    body: resume(first, pieces),
  };
}

/** Answers in one record, with the texts joined. */
export async function answerWhole(completion: Completion): Promise<Outgoing> {
  const { world, incoming } = completion;
  let text = '';
  let thinking = '';
  const raw: Uint8Array<ArrayBuffer>[] = [];
  const toolCalls: WireToolCall[] = [];
  const record = (content: Partial<RecordContent>) =>
    completion.write(completion.modelAsGiven, world.wallTime(world.clock.now()), {
      text,
      thinking,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      ...content,
    });
  try {
    for await (const piece of runGeneration(world, completion.request)) {
      if (piece.kind === 'text') text += piece.text;
      else if (piece.kind === 'thinking') thinking += piece.text;
      else if (piece.kind === 'tool') toolCalls.push(wireCall(piece));
      else if (piece.kind === 'raw') raw.push(bytesOf(piece.bytes));
      else {
        incoming.onRecord();
        incoming.onComplete();
        return withRaw(json(record(ending(completion, piece))), raw);
      }
    }
  } catch (cause) {
    // One JSON text that breaks off in the middle is what a cut looks like here.
    const hasContent = text !== '' || thinking !== '' || toolCalls.length > 0;
    if (!(cause instanceof Cut) || (cause.how === 'reset' && !hasContent)) throw cause;
    incoming.onComplete();
    return halfOf(json(record({ doneReason: 'stop' })), cause);
  }
  throw new Cut('end');
}

/** Answers a request without a prompt: the model is loaded or freed, and nothing is written. */
export async function answerLoad(completion: Completion): Promise<Outgoing> {
  const { world, request, incoming } = completion;
  const unload = request.keepAliveMs === 0;
  if (unload) world.scheduler.unload(request.model);
  else (await world.scheduler.acquire(request)).release();
  incoming.onRecord();
  incoming.onComplete();
  return json(
    completion.write(completion.modelAsGiven, world.wallTime(world.clock.now()), {
      text: '',
      doneReason: unload ? 'unload' : 'load',
    }),
  );
}

async function* records(completion: Completion): Pieces {
  const { world, incoming } = completion;
  const line = (content: RecordContent) => {
    incoming.onRecord();
    const at = world.wallTime(world.clock.now());
    return `${goJson(completion.write(completion.modelAsGiven, at, content))}\n`;
  };
  let sent = false;
  try {
    for await (const piece of runGeneration(world, completion.request)) {
      if (piece.kind === 'raw') yield bytesOf(piece.bytes);
      else if (piece.kind === 'end') {
        const last = line({ text: '', ...ending(completion, piece) });
        incoming.onComplete();
        yield last;
      } else yield line(contentOf(piece));
      sent = true;
    }
  } catch (cause) {
    // From here on the answer is over: who leaves now does not leave before the end.
    if (!(cause instanceof ClientLeft)) incoming.onComplete();
    if (cause instanceof Cut && cause.how === 'end') return;
    if (!(sent && cause instanceof HttpFailure)) throw cause;
    incoming.onRecord();
    yield `${goJson({ error: cause.message })}\n`;
  }
}

function contentOf(piece: Exclude<Piece, { kind: 'raw' | 'end' }>): RecordContent {
  if (piece.kind === 'tool') return { text: '', toolCalls: [wireCall(piece)] };
  return piece.kind === 'thinking' ? { text: '', thinking: piece.text } : { text: piece.text };
}

function wireCall(piece: Extract<Piece, { kind: 'tool' }>): WireToolCall {
  const { id, index, name } = piece;
  return { id, function: { index, name, arguments: piece.arguments } };
}

function ending(
  completion: Completion,
  piece: { reason: string; figures: Figures },
): Omit<RecordContent, 'text'> {
  return {
    doneReason: piece.reason,
    figures: piece.figures,
    context: completion.contextOf?.(piece.figures.tokens),
  };
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
      if (cut.how === 'reset') throw cut;
    })(),
  };
}
