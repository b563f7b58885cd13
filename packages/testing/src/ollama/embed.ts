import { json } from './answers.ts';
import { installedFor } from './capabilities.ts';
import { parseKeepAlive } from './duration.ts';
import { HttpFailure } from './http-failure.ts';
import { Lease } from './lease.ts';
import { readOptions } from './options.ts';
import { hashText } from './random.ts';
import { RequestBody } from './request-body.ts';
import { countTokens } from './tokens.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** `POST /api/embed`: one unit vector for each input, in order. */
export async function embed(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'EmbedRequest');
  const given = body.any('input') ?? '';
  const inputs = Array.isArray(given) ? given : given === '' ? [] : [given];
  if (!inputs.every((input) => typeof input === 'string')) throw new HttpFailure(400, 'invalid input type');
  const startedMs = world.clock.now();
  const { model, vectors, loadMs } = await run(world, incoming, body, inputs);
  if (inputs.length === 0) return done(incoming, { model, embeddings: [] });
  return done(incoming, {
    model,
    embeddings: vectors,
    total_duration: Math.max(1000, Math.round((world.clock.now() - startedMs) * 1e6)),
    load_duration: Math.max(1000, Math.round(loadMs * 1e6)),
    prompt_eval_count: inputs.reduce((sum, input) => sum + countTokens(input), 0) || undefined,
  });
}

/** `POST /api/embeddings`, the older form: one prompt, one vector. */
export async function embeddings(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'EmbeddingRequest');
  const prompt = body.string('prompt') ?? '';
  const { vectors } = await run(world, incoming, body, prompt === '' ? [] : [prompt]);
  return done(incoming, { embedding: vectors[0] ?? [] });
}

async function run(world: World, incoming: Incoming, body: RequestBody, inputs: readonly string[]) {
  const keepAliveMs = parseKeepAlive(body.any('keep_alive'));
  const given = body.string('model') ?? '';
  if (given === '') throw new HttpFailure(400, 'model is required');
  const model = installedFor(world.catalog, given, 'pull-first');
  if (!model.capabilities.includes('embedding')) {
    throw new HttpFailure(501, 'This server does not support embeddings. Start it with `--embeddings`', {
      fromRunner: true,
    });
  }
  const length = body.any('dimensions');
  const dimensions = typeof length === 'number' && length > 0 ? length : model.embeddingLength;
  const options = readOptions(model, body.any('options'), undefined);
  const startedMs = world.clock.now();
  const { signal } = incoming;
  const runner = await world.scheduler.acquire({ ...options, model, keepAliveMs, signal });
  const lease = new Lease(runner, signal);
  try {
    const loadMs = world.clock.now() - startedMs;
    await lease.takeSlot();
    const vectors = inputs.map((input) => embedText(input, model.embeddingLength, dimensions));
    return { model: given, vectors, loadMs };
  } finally {
    lease.end();
  }
}

function done(incoming: Incoming, body: object): Outgoing {
  incoming.onRecord();
  incoming.onComplete();
  return json(body);
}

/** Word counts, each word at the place its hash gives it, so that texts which share words are near each other. */
export function embedText(text: string, length: number, dimensions: number): number[] {
  const vector = new Array<number>(length).fill(0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']) {
    const hash = hashText(word);
    const at = hash % length;
    // The sign keeps two words that share a place from looking alike.
    vector[at] = (vector[at] ?? 0) + ((hash >>> 16) % 2 === 0 ? 1 : -1);
  }
  const kept = vector.slice(0, dimensions);
  const size = Math.hypot(...kept);
  return kept.map((value) => (size === 0 ? 1 / Math.sqrt(kept.length) : Math.fround(value / size)));
}
