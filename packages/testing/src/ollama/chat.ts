import { installedFor, requireCapabilities } from './capabilities.ts';
import { refuseCloud } from './cloud.ts';
import { parseKeepAlive } from './duration.ts';
import { HttpFailure } from './http-failure.ts';
import { ollamaSurface } from './ollama-surface.ts';
import { readMessages } from './prompt.ts';
import { chatRecord } from './records.ts';
import { RequestBody } from './request-body.ts';
import { type Question, respond } from './respond.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** `POST /api/chat` */
export async function chat(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'ChatRequest');
  return answerChat(world, incoming, body, ({ modelAsGiven, topLogprobs }) =>
    ollamaSurface({ world, modelAsGiven, topLogprobs, write: chatRecord }),
  );
}

/** A chat request, worded as the surface does: the compatibility routes come through here too. */
export async function answerChat(
  world: World,
  incoming: Incoming,
  body: RequestBody,
  surface: Question['surface'],
): Promise<Outgoing> {
  const keepAliveMs = parseKeepAlive(body.any('keep_alive'));
  const messages = readMessages(body.array('messages') ?? []);
  const tools = body.array('tools') ?? [];
  const modelAsGiven = body.string('model') ?? '';
  if (modelAsGiven === '') throw new HttpFailure(400, 'model is required');
  refuseCloud(world, modelAsGiven);
  const model = installedFor(world.catalog, modelAsGiven, 'single');
  const isUnload = messages.length === 0 && keepAliveMs === 0;
  const wanted = [
    ...(tools.length > 0 ? ['tools'] : []),
    ...(messages.some((message) => message.imageCount > 0) ? ['vision'] : []),
  ];
  if (!isUnload) requireCapabilities(model, modelAsGiven, 'chat', wanted);
  return respond(world, incoming, {
    body,
    model,
    modelAsGiven,
    keepAliveMs,
    messages,
    earlierTokens: 0,
    surface,
  });
}
