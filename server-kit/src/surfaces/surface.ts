import type { DoneEvent, ToolCallEvent, UsageEvent } from '@ziggie/llm-protocol';
import type { Framing } from '../answer/framing.ts';
import type { KitFailure } from '../failure.ts';
import type { ChatBody, GenerateBody } from '../request/chat-shape.ts';

/** The form that requests and answers of a route have: ours, or one that existing clients speak. */
export type SurfaceName = 'native' | 'ollama' | 'openai' | 'anthropic';

/** An answer at its end. */
export interface WholeAnswer {
  text: string;
  thinking: string;
  toolCalls: readonly ToolCallEvent[];
  /** Absent when nobody counted. */
  usage: UsageEvent | undefined;
  done: DoneEvent;
}

/** What a form needs to know of the run it writes. */
export interface RunFacts {
  /** Id of the run. */
  id: string;
  requestId: string;
  /** The model as the caller named it: what it asked for is what it is told. */
  model: string;
  /** Wall time in ms since 1970. */
  now: () => number;
  /** Tokens of the prompt as they were estimated; forms that state them first have no better number. */
  estimatedInputTokens: number;
}

/** How one answer is written. */
export interface AnswerForm {
  /** Whether the caller wants the answer as it is written. */
  streams: boolean;
  /** The events of one run in this form. It has a memory, so each run gets its own. */
  framing(facts: RunFacts): Framing;
  /** The whole answer as one JSON body. */
  whole(answer: WholeAnswer, facts: RunFacts): unknown;
  /** Whether the caller would come back for the rest when its connection breaks. */
  resumes?: boolean | undefined;
}

/** A body, read into our own shape and checked, and the form its answer has. */
export interface Asked {
  body: ChatBody | GenerateBody;
  form: AnswerForm;
  /** `think` is a wish: on a model that cannot think it is dropped instead of refused. */
  mayNotThink?: boolean | undefined;
}

/** A body of a refusal or failure. */
export interface FailureBody {
  contentType: string;
  body: unknown;
}

/** Writes a failure before the status line is gone. */
export type WriteFailure = (failure: KitFailure, requestId: string) => FailureBody;
