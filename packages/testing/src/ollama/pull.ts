import { parseKnownModel } from './catalog.ts';
import { refuseCloud } from './cloud.ts';
import { HttpFailure } from './http-failure.ts';
import { type Layer, layersOf, shortDigest } from './layers.ts';
import { fullName, parseModelName } from './model-name.ts';
import { answerProgress, PROGRESS_EVERY_MS, type ProgressRecords } from './progress.ts';
import { RequestBody } from './request-body.ts';
import { sleep } from './sleep.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** Layers below this size show one line. */
const SMALL_LAYER_BYTES = 100_000;

/** `POST /api/pull` */
export async function pull(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'PullRequest');
  const given = nameIn(body);
  return answerProgress(incoming, body, pullRecords(world, given, incoming.signal));
}

/** `POST /api/push` */
export async function push(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'PushRequest');
  const given = nameIn(body);
  return answerProgress(incoming, body, pushRecords(world, given, incoming.signal));
}

/** The model's name, under its old member too. @throws {HttpFailure} 400 when it is none. */
export function nameIn(body: RequestBody): string {
  const given = body.string('model') || body.string('name') || '';
  if (given === '') throw new HttpFailure(400, 'model is required');
  if (!parseModelName(given)) throw new HttpFailure(400, 'invalid model name');
  return given;
}

/** Fetches what is missing of a model and installs it. */
export async function* pullRecords(world: World, given: string, signal: AbortSignal): ProgressRecords {
  refuseCloud(world, given);
  yield { status: 'pulling manifest' };
  const model = world.catalog.published(given);
  // Not 404: the registry was asked after the answer had begun, and without a stream it is a failure of the server.
  if (!model) throw new HttpFailure(500, 'pull model manifest: file does not exist');
  const before = world.catalog.find(given);
  const layers = layersOf(model);
  for (const layer of layers) yield* download(world, layer, signal);
  yield { status: 'verifying sha256 digest' };
  yield { status: 'writing manifest' };
  world.catalog.install(model, world.wallTime(world.clock.now()).epochMs);
  const unused = before
    ? layersOf(before).filter((old) => !layers.some((layer) => layer.digest === old.digest))
    : [];
  for (const { digest } of unused) world.blobs.remove(digest);
  if (unused.length > 0) yield { status: 'removing unused layers' };
  yield { status: 'success' };
}

async function* download(world: World, layer: Layer, signal: AbortSignal): ProgressRecords {
  const { digest, sizeBytes: total } = layer;
  const status = `pulling ${shortDigest(digest)}`;
  if (world.blobs.has(digest)) {
    yield { status, digest, total, completed: total };
    return;
  }
  const shared = world.blobs.join(layer);
  try {
    let completed = shared.startBytes;
    // As it was when the download began. A small layer is there before anybody could say so.
    if (total >= SMALL_LAYER_BYTES) {
      yield { status, digest, total, completed };
      completed = shared.completedBytes();
    }
    while (completed < total) {
      const leftMs = ((total - completed) / world.pullBytesPerSecond) * 1000;
      await sleep(world.clock, total < SMALL_LAYER_BYTES ? Math.ceil(leftMs) : PROGRESS_EVERY_MS, signal);
      completed = shared.completedBytes();
      if (completed < total) yield { status, digest, total, completed };
    }
    yield { status, digest, total, completed };
  } finally {
    shared.leave();
  }
}

async function* pushRecords(world: World, given: string, signal: AbortSignal): ProgressRecords {
  yield { status: 'retrieving manifest' };
  const model = world.catalog.find(given);
  if (!model) {
    yield { status: "couldn't retrieve manifest" };
    const name = parseModelName(given);
    const path = name ? fullName(name).replace(/:([^:]*)$/, '/$1') : given;
    throw new HttpFailure(500, `open /root/.ollama/models/manifests/${path}: no such file or directory`);
  }
  for (const { digest, sizeBytes: total } of layersOf(model)) {
    const status = `pushing ${shortDigest(digest)}`;
    const startedMs = world.clock.now();
    for (let completed = 0; completed < total; ) {
      const elapsedS = (world.clock.now() - startedMs + PROGRESS_EVERY_MS) / 1000;
      completed = Math.min(total, Math.ceil(elapsedS * world.pullBytesPerSecond));
      if (completed < total) await sleep(world.clock, PROGRESS_EVERY_MS, signal);
      yield { status, digest, total, completed };
    }
  }
  yield { status: 'pushing manifest' };
  world.catalog.publish(model, parseKnownModel(given));
  yield { status: 'success' };
}
