import type { FakeClock, FakeModel } from '../types.ts';

/** Whose dialect of OpenAI's routes it is. */
export type OpenAIProfile = 'vllm' | 'llama.cpp' | 'openai';

/** Settings of the stand-in for a server that speaks OpenAI's dialect. */
export interface FakeOpenAIOptions {
  /** Default `openai`. */
  profile?: OpenAIProfile | undefined;
  /** Default: the four of the stand-in for Ollama. Names are as given, without tags. */
  models?: readonly (string | FakeModel)[] | undefined;
  /** Tokens a second for each slot. Default 40; `Infinity` answers at once, which most tests want. */
  tokensPerSecond?: number | undefined;
  /** How long it reads per prompt token, as time to the first token. Default 0. */
  prefillMsPerToken?: number | undefined;
  /** llama.cpp only: how long the model loads after the start. Until then every route answers 503. Default 0. */
  loadMs?: number | undefined;
  /** Answers at once; more wait. Default 256, vLLM's `--max-num-seqs`; 4 for llama.cpp, its `--parallel`. */
  slots?: number | undefined;
  /** With one, requests without `Authorization: Bearer …` are refused with 401. */
  apiKey?: string | undefined;
  /** The members that carry thinking. Default `reasoning` for vLLM, `reasoning_content` for llama.cpp, none for OpenAI. */
  thinkingFields?: readonly ('reasoning' | 'reasoning_content')[] | undefined;
  clock?: FakeClock | undefined;
}
