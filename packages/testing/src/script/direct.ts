import { Cut, HttpFailure } from '../ollama/http-failure.ts';
import { sleep } from '../ollama/sleep.ts';
import type { Incoming, Outgoing, Pieces, World } from '../ollama/world.ts';
import { shaped } from '../wire/shape.ts';
import type { RecordedAnswer, Script, Shape } from './step-types.ts';

/**
 * Plays a script that stands in place of a route's answer: silences, then a recorded answer, bytes, a failure or a cut.
 * One that only waits and shapes leaves the answer to the route.
 *
 * @throws {HttpFailure} for `error()`.
 * @throws {Cut} where it breaks off before an answer.
 */
export async function playDirect(
  world: World,
  incoming: Incoming,
  steps: Script,
  route: () => Promise<Outgoing>,
): Promise<Outgoing> {
  const { clock } = world;
  const { signal } = incoming;
  const shapes = steps.flatMap((step) => (step.kind === 'shape' ? [step.shape] : []));
  const shape: Shape = Object.assign({}, ...shapes);
  for (const step of steps) {
    switch (step.kind) {
      case 'stall':
        await sleep(clock, step.ms ?? Number.POSITIVE_INFINITY, signal);
        break;
      case 'error':
        throw new HttpFailure(step.status, step.message, step);
      case 'cut':
        throw new Cut(step.how);
      case 'wire':
        incoming.onComplete();
        return { status: 200, headers: {}, body: '', wire: step };
      case 'replay':
        return shaped(recorded(world, incoming, step.answer), shape, clock, signal);
      case 'shape':
        break;
      default:
        throw new HttpFailure(
          500,
          `the stand-in cannot play ${step.kind}() on ${incoming.path}: only chat and generate write words. ` +
            'Use replay(), error(), stall(), cut(), wire() or shape() there.',
        );
    }
  }
  return shaped(await route(), shape, clock, signal);
}

function recorded(world: World, incoming: Incoming, answer: RecordedAnswer): Outgoing {
  const headers = Object.fromEntries(
    Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const parts = writesOf(answer.body, headers['content-type'] ?? '');
  const status = answer.status ?? 200;
  const only = parts.length === 0 ? '' : parts.length === 1 ? parts[0] : undefined;
  if (typeof only === 'string') {
    incoming.onRecord();
    incoming.onComplete();
    return { status, headers, body: only };
  }
  return { status, headers, body: paced(world, incoming, parts) };
}

async function* paced(world: World, incoming: Incoming, parts: readonly (string | Uint8Array)[]): Pieces {
  for (const [index, part] of parts.entries()) {
    if (index > 0) await sleep(world.clock, 1000 / world.tokensPerSecond, incoming.signal);
    incoming.onRecord();
    if (index === parts.length - 1) incoming.onComplete();
    yield typeof part === 'string' ? part : new Uint8Array(part);
  }
}

/** One entry for each write: records and events by themselves, anything else whole. */
function writesOf(body: RecordedAnswer['body'], contentType: string): readonly (string | Uint8Array)[] {
  if (body instanceof Uint8Array) return body.length === 0 ? [] : [body];
  if (typeof body !== 'string') return body;
  if (contentType.startsWith('application/x-ndjson')) return body.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  if (contentType.startsWith('text/event-stream')) return body.match(/[\s\S]*?\n\n|[\s\S]+$/g) ?? [];
  return body === '' ? [] : [body];
}
