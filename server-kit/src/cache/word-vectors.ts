import { Run } from '../answer/run.ts';
import { RequestContext } from '../context.ts';
import type { EmbedDecoder } from '../embed/embed-decoder.ts';
import { embedTask, endOfEmbedding } from '../embed/embed-task.ts';
import { newId } from '../request/request-id.ts';
import type { AnswerParts } from '../routes/answer-with.ts';
import { runRequest } from '../routes/run-request.ts';
import { Stop } from '../stop.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import type { FollowerAsk } from './follower.ts';

/**
 * Has a model turn words into a vector, in the name of a request and with its turn, but on nobody's account: it is the
 * operator who wants it.
 *
 * @throws {KitFailure} also when it takes longer than `timeoutMs`.
 */
export async function vectorOf(
  parts: AnswerParts,
  model: string,
  words: string,
  { context, request }: Pick<FollowerAsk, 'context' | 'request'>,
  timeoutMs: number,
): Promise<readonly number[]> {
  const { clock, logger } = parts.settings;
  let decoder: EmbedDecoder | undefined;
  let run: Run | undefined;
  const lease = parts.leases.open(new Stop(), () => run?.release());
  lease.setTimer(() => lease.fail(upstreamFailure('deadline_exceeded', 'embedding')), timeoutMs);
  try {
    const name = await lease.during(parts.catalog.resolve(model, () => true));
    const task = embedTask({ model: name, input: [words], truncate: true }, (made) => {
      decoder = made;
    });
    const own = new RequestContext(newId('run'), 'POST', context.route, clock, logger);
    own.principal = context.principal;
    own.address = context.address;
    const granted = { meter: undefined, maxTokens: 0, inputTokens: 0 };
    run = new Run(parts, runRequest(task, own, request.turn, name, granted), own, lease);
    await lease.during(endOfEmbedding(run));
    return decoder?.vectors[0] ?? [];
  } finally {
    lease.close();
  }
}
