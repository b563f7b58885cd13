import type { Capability, ChatRequest, ErrorCode, GenerateRequest } from '@ziggie/llm-protocol';
import type { CallOptions, ChatEvent, ChatResult } from '../types.ts';

/** Settings of {@link ModelChoice}. */
export interface ModelChoiceOptions<Task extends string> {
  /** For each task the models to use, the best first. Default {@link recommendedModels}. */
  tasks?: Readonly<Record<Task, readonly string[]>> | undefined;
  /** Never use a model that the task does not name. Default: any that can do it is better than none. */
  onlyNamed?: boolean | undefined;
  /** How long a list of models is good for, in milliseconds. Default 30 s. */
  listMs?: number | undefined;
}

/** Which model answered, and why not another. */
export interface Choice {
  /** The names that were wished for, the best first. */
  asked: readonly string[];
  /** The one that answers. */
  served: string;
  /** Those that were tried before it, with the code of their failure. */
  skipped: readonly { model: string; code: ErrorCode }[];
}

/** A whole answer and whose it is. */
export interface ChosenResult extends ChatResult {
  choice: Choice;
}

/** An answer while it is written, by whichever model gives one. */
export interface ChosenStream extends AsyncIterable<ChatEvent> {
  text(): Promise<string>;
  final(): Promise<ChosenResult>;
  abort(reason?: unknown): void;
}

/** Asks whichever model is right for a task. */
export interface ModelChoice<Task extends string> {
  /**
   * The models that would be tried for a task now, in order; empty when there is none.
   *
   * @param needs What they must be able to do, besides `completion`.
   */
  candidates(task: Task, needs?: readonly Capability[], options?: CallOptions): Promise<string[]>;
  chat(task: Task, request: Omit<ChatRequest, 'model'>, options?: CallOptions): ChosenStream;
  generate(task: Task, request: Omit<GenerateRequest, 'model'>, options?: CallOptions): ChosenStream;
}
