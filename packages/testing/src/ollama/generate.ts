import { installedFor, requireCapabilities } from './capabilities.ts';
import { refuseCloud } from './cloud.ts';
import { parseKeepAlive } from './duration.ts';
import { HttpFailure } from './http-failure.ts';
import { ollamaSurface } from './ollama-surface.ts';
import { countImages } from './prompt.ts';
import { hashText, seededRandom } from './random.ts';
import { generateRecord } from './records.ts';
import { RequestBody } from './request-body.ts';
import { type Question, respond, type SurfaceContext } from './respond.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** `POST /api/generate` */
export async function generate(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'GenerateRequest');
  const raw = body.bool('raw') ?? false;
  const prompt = body.string('prompt') ?? '';
  return answerGenerate(
    world,
    incoming,
    body,
    ({ modelAsGiven, topLogprobs, promptTokens }: SurfaceContext) =>
      ollamaSurface({
        world,
        modelAsGiven,
        topLogprobs,
        write: generateRecord,
        contextOf: raw ? undefined : (tokens) => tokenNumbers(prompt, promptTokens + tokens),
      }),
  );
}

/** A generate request, worded as the surface does. */
export async function answerGenerate(
  world: World,
  incoming: Incoming,
  body: RequestBody,
  surface: Question['surface'],
): Promise<Outgoing> {
  const keepAliveMs = parseKeepAlive(body.any('keep_alive'));
  const prompt = body.string('prompt') ?? '';
  const system = body.string('system') ?? '';
  const earlier = body.array('context') ?? [];
  const imageCount = countImages(body.any('images'));
  const raw = body.bool('raw') ?? false;
  const modelAsGiven = body.string('model') ?? '';
  if (modelAsGiven === '') throw new HttpFailure(404, "model '' not found");
  refuseCloud(world, modelAsGiven);
  const model = installedFor(world.catalog, modelAsGiven, 'single');
  if (raw && (body.string('template') || system !== '' || earlier.length > 0)) {
    throw new HttpFailure(400, 'raw mode does not support template, system, or context');
  }
  const isUnload = prompt === '' && keepAliveMs === 0;
  const wanted = [
    ...(body.string('suffix') ? ['insert'] : []),
    // An empty prompt means "load" even when there are images or a suffix.
    ...(imageCount > 0 && prompt !== '' ? ['vision'] : []),
  ];
  if (!isUnload) requireCapabilities(model, modelAsGiven, 'generate', wanted);
  const systemMessages = system === '' ? [] : [{ role: 'system', content: system, imageCount: 0 }];
  return respond(world, incoming, {
    body,
    model,
    modelAsGiven,
    keepAliveMs,
    messages: prompt === '' ? [] : [...systemMessages, { role: 'user', content: prompt, imageCount }],
    earlierTokens: earlier.length,
    surface,
  });
}

/** As many token numbers as prompt and answer have. Clients may only send them back. */
function tokenNumbers(seed: string, count: number): number[] {
  const random = seededRandom(hashText(seed));
  return Array.from({ length: count }, () => Math.floor(random() * 128_000));
}
