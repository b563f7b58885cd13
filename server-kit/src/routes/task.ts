import type { VectorMemo } from '../cache/memo.ts';
import type { AnswerFilter } from '../content/content.ts';
import type { ContentFacts } from '../content/content-options.ts';
import type { RequestContext } from '../context.ts';
import type { InputSize } from '../limits/token-estimate.ts';
import type { ChatBody, GenerateBody } from '../request/chat-shape.ts';
import { continuedBody } from '../request/continued-body.ts';
import { sizeOf } from '../request/input-size.ts';
import { optionsFor, wantedTokens } from '../request/options-policy.ts';
import { holdsBack } from '../request/upstream-body.ts';
import { canonicalJson } from '../streams/canonical-json.ts';
import type { RecordDecoder } from '../upstreams/record-decoder.ts';
import { callFor, decoderFor, type UpstreamCall } from '../upstreams/upstream-call.ts';
import type { UpstreamDialect } from '../upstreams/upstream-settings.ts';

/** What is asked of a model, read out of a checked body: all that its way through the kit needs to know of it. */
export interface Task {
  /** The model as the caller named it. */
  asked: string;
  size: InputSize;
  /** Most tokens of the answer as far as its caller and the operator go; 0 for what has none. */
  wantedTokens: number;
  /** Whether the upstream may hold text back (tools, formats). */
  holdsBack: boolean;
  /** Whether it is answered token by token. */
  isWritten: boolean;
  /** What the model reads, in the order in which it reads it. */
  promptParts(): string[];
  /** The request in an upstream's dialect. `maxTokens` is what a quota has room for. */
  callFor(dialect: UpstreamDialect, model: string, maxTokens: number): UpstreamCall;
  decoderFor(dialect: UpstreamDialect): RecordDecoder;
  /** Ollama's request for the rest of an answer, as `RunRequest.restCall`. */
  restCall?:
    | ((text: string, maxTokens: number, canThink: boolean, model: string) => UpstreamCall | undefined)
    | undefined;
  /** Everything that is asked of the model, in one form: equal texts are the same question. Absent for what nobody shares. */
  canonical?: (() => string) | undefined;
  /** The checked body of a prompt, for answers that are kept or shared. Absent for what is no prompt. */
  prompt?: ChatBody | GenerateBody | undefined;
  /** How vectors are kept, where they are what is asked for. */
  memo?: VectorMemo | undefined;
  /** What the answer goes through before anybody sees it. */
  filter?: AnswerFilter | undefined;
}

/** The task of a checked prompt. @throws {KitFailure} for options that cannot be: nobody waits in a line to hear that. */
export function promptTask(body: ChatBody | GenerateBody, filter: AnswerFilter | undefined): Task {
  optionsFor(body);
  return {
    asked: body.model,
    size: sizeOf(body),
    wantedTokens: wantedTokens(body),
    holdsBack: holdsBack(body),
    isWritten: true,
    promptParts: () => promptParts(body),
    callFor: (dialect, model, maxTokens) => callFor(dialect, body, model, maxTokens),
    decoderFor,
    restCall: (text, maxTokens, canThink, model) => {
      const rest = continuedBody(body, text, canThink);
      return rest && callFor('ollama', rest, model, maxTokens);
    },
    prompt: body,
    canonical: () => canonicalJson({ ...body, stream: undefined, resume: undefined }),
    filter,
  };
}

function promptParts(body: ChatBody | GenerateBody): string[] {
  if (!('messages' in body)) return [body.system ?? '', body.prompt];
  const tools = body.tools?.length ? [JSON.stringify(body.tools)] : [];
  return [...tools, ...body.messages.map(({ role, content }) => `${role}\n${content}`)];
}

/** What hooks on content are told of a request. */
export function contentFacts(
  operation: ContentFacts['operation'],
  model: string,
  { id, principal }: RequestContext,
): ContentFacts {
  return { requestId: id, operation, principal: principal ?? { id: '', roles: [] }, model };
}
