import { json } from './answers.ts';
import { installedFor } from './capabilities.ts';
import type { InstalledModel } from './catalog.ts';
import { refuseCloud } from './cloud.ts';
import { parseKeepAlive } from './duration.ts';
import { HttpFailure } from './http-failure.ts';
import { Lease } from './lease.ts';
import { readOptions } from './options.ts';
import { RequestBody } from './request-body.ts';
import { sleep } from './sleep.ts';
import { countTokens, tokenize } from './tokens.ts';
import { countWords, unitVector } from './vectors.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** Vectors and what they cost. */
export interface Embedded {
  modelAsGiven: string;
  vectors: number[][];
  tokens: number;
  loadMs: number;
  totalMs: number;
}

/** `POST /api/embed`: one unit vector for each input, in order. */
export async function embed(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'EmbedRequest');
  const embedded = await embedInputs(world, incoming, body);
  const { modelAsGiven: model, vectors } = embedded;
  if (vectors.length === 0) return done(incoming, { model, embeddings: [] });
  return done(incoming, {
    model,
    embeddings: vectors,
    total_duration: nanoseconds(embedded.totalMs),
    load_duration: nanoseconds(embedded.loadMs),
    prompt_eval_count: embedded.tokens || undefined,
  });
}

/** `POST /api/embeddings`, the older form: one prompt, one vector as the model gives it, not of unit length. */
export async function embeddings(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'EmbeddingRequest');
  const prompt = body.string('prompt') ?? '';
  const { model } = await run(world, incoming, body);
  const vector = prompt === '' ? [] : countWords(prompt, model.embeddingLength);
  return done(incoming, { embedding: vector });
}

/**
 * Reads `input truncate dimensions` and embeds.
 *
 * @throws {HttpFailure} 400 for an input that is neither text nor texts, or one too long that may not be cut. One bad
 *   input fails all.
 */
export async function embedInputs(world: World, incoming: Incoming, body: RequestBody): Promise<Embedded> {
  const given = body.any('input') ?? '';
  const inputs = Array.isArray(given) ? given : given === '' ? [] : [given];
  if (!inputs.every((input) => typeof input === 'string')) throw new HttpFailure(400, 'invalid input type');
  const mayCut = body.bool('truncate') ?? true;
  const length = body.any('dimensions');
  const startedMs = world.clock.now();
  const tokensOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + countTokens(text), 0);
  const { model, modelAsGiven, loadMs } = await run(world, incoming, body, (installed) => {
    for (const input of inputs) {
      if (!mayCut && countTokens(input) > installed.contextLength) {
        throw new HttpFailure(400, 'the input length exceeds the context length');
      }
    }
    return world.prefillMsPerToken * tokensOf(inputs);
  });
  const dimensions = typeof length === 'number' && length > 0 ? length : model.embeddingLength;
  const cut = inputs.map((input) => tokenize(input).slice(0, model.contextLength).join(''));
  return {
    modelAsGiven,
    vectors: cut.map((text) => unitVector(countWords(text, model.embeddingLength), dimensions)),
    tokens: tokensOf(cut),
    loadMs,
    totalMs: world.clock.now() - startedMs,
  };
}

/** Loads the model, waits for a slot and takes the time that the work takes. */
async function run(
  world: World,
  incoming: Incoming,
  body: RequestBody,
  workMs: (model: InstalledModel) => number = () => 0,
) {
  const keepAliveMs = parseKeepAlive(body.any('keep_alive'));
  const modelAsGiven = body.string('model') ?? '';
  if (modelAsGiven === '') throw new HttpFailure(400, 'model is required');
  refuseCloud(world, modelAsGiven);
  const model = installedFor(world.catalog, modelAsGiven, 'pull-first');
  if (!model.capabilities.includes('embedding')) {
    throw new HttpFailure(501, 'This server does not support embeddings. Start it with `--embeddings`', {
      fromRunner: true,
    });
  }
  const work = workMs(model);
  const options = readOptions(model, body.any('options'), undefined);
  const startedMs = world.clock.now();
  const { signal } = incoming;
  const lease = new Lease(await world.scheduler.acquire({ ...options, model, keepAliveMs, signal }), signal);
  try {
    const loadMs = world.clock.now() - startedMs;
    await lease.takeSlot();
    await sleep(world.clock, work, signal);
    return { model, modelAsGiven, loadMs };
  } finally {
    lease.end();
  }
}

export function done(incoming: Incoming, body: object): Outgoing {
  incoming.onRecord();
  incoming.onComplete();
  return json(body);
}

function nanoseconds(ms: number): number {
  return Math.max(1000, Math.round(ms * 1e6));
}
