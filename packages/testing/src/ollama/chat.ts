import { installedFor, requireCapabilities } from './capabilities.ts';
import { parseKeepAlive } from './duration.ts';
import { HttpFailure } from './http-failure.ts';
import { readMessages } from './prompt.ts';
import { chatRecord } from './records.ts';
import { RequestBody } from './request-body.ts';
import { respond } from './respond.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** `POST /api/chat` */
export async function chat(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = RequestBody.parse(await incoming.readText(), 'ChatRequest');
  const keepAliveMs = parseKeepAlive(body.any('keep_alive'));
  const messages = readMessages(body.array('messages') ?? []);
  const tools = body.array('tools') ?? [];
  const modelAsGiven = body.string('model') ?? '';
  if (modelAsGiven === '') throw new HttpFailure(400, 'model is required');
  const model = installedFor(world.catalog, modelAsGiven, 'single');
  const isUnload = messages.length === 0 && keepAliveMs === 0;
  if (!isUnload) requireCapabilities(model, modelAsGiven, 'chat', tools.length > 0 ? ['tools'] : []);
  return respond(world, incoming, {
    body,
    model,
    modelAsGiven,
    keepAliveMs,
    messages,
    earlierTokens: 0,
    write: chatRecord,
  });
}
