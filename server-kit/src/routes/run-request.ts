import type { RunRequest } from '../answer/run.ts';
import type { RequestContext } from '../context.ts';
import type { Meter } from '../limits/meter.ts';
import { prefixOf } from '../placement/prefix-hashes.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { PlaceAsk } from '../upstreams/places.ts';
import type { Task } from './task.ts';

/** What an answer was granted. */
export interface Granted {
  /** Counts it; nothing for one that nobody pays for. */
  meter: Meter | undefined;
  /** Tokens that it may have. */
  maxTokens: number;
  /** Tokens of its input as they were estimated. */
  inputTokens: number;
}

/** What is run for a task. */
export function runRequest(
  task: Task,
  context: RequestContext,
  turn: RunRequest['turn'],
  model: string,
  { meter, maxTokens, inputTokens }: Granted,
): RunRequest {
  return {
    asked: task.asked,
    model,
    ask: placeAsk(task, model, context),
    turn,
    callFor: (dialect, name) => task.callFor(dialect, name, maxTokens),
    decoderFor: task.decoderFor,
    isWritten: task.isWritten,
    restCall: task.restCall && ((text, most, canThink) => task.restCall?.(text, most, canThink, model)),
    maxTokens,
    holdsBack: task.holdsBack,
    estimatedInputTokens: inputTokens,
    filter: task.filter,
    meter,
  };
}

/** Where it may run: by its model, and by whose prompt begins like it. */
function placeAsk(task: Task, model: string, { principal, address }: RequestContext): PlaceAsk {
  const name = canonicalName(model);
  const tenant = principal?.tenant;
  return {
    model: name,
    principalKey: principal?.id ?? address,
    tenant,
    prefix: () => prefixOf(`${tenant ?? ''}\n${name}`, task.promptParts()),
  };
}
