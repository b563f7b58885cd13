import type { ChatMessage, ToolDefinition, Usage } from '@ziggie/llm-protocol';

/**
 * Tokens per character before any count is known: four characters of English per token (OpenAI's and Google's rule of
 * thumb), two and a half of Cyrillic, Greek or accented Latin, one of Chinese, Japanese and Korean with a little less than
 * one token.
 */
const ASCII = 1 / 4;
const TWO_BYTES = 2 / 5;
const THREE_BYTES = 4 / 5;
/** What a chat template puts around a message. */
const PER_MESSAGE = 4;
/** Of one image; models take from 256 (Gemma 3) to over 1,000 (Qwen 2.5 VL at full size). */
const PER_IMAGE = 768;

/** Fewer would measure the template, not the text. */
const MIN_TOKENS_TO_LEARN = 200;
/** Farther off than this the server counted something else, such as a prompt that it has cut. */
const LEAST_FACTOR = 0.4;
const GREATEST_FACTOR = 3;

/** Tokens of a text, roughly: within a factor of two for most tokenizers. Takes one pass over it. */
export function tokensOfText(text: string): number {
  let tokens = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    tokens += unit < 0x80 ? ASCII : unit < 0x800 ? TWO_BYTES : THREE_BYTES;
  }
  return tokens;
}

/** Tokens of a message with its calls and images, roughly. */
export function tokensOfMessage({ content, thinking, toolCalls, images }: ChatMessage): number {
  const calls = toolCalls === undefined ? '' : JSON.stringify(toolCalls);
  const text = tokensOfText(content) + tokensOfText(thinking ?? '') + tokensOfText(calls);
  return PER_MESSAGE + text + (images?.length ?? 0) * PER_IMAGE;
}

/** Tokens of tool definitions, roughly. */
export function tokensOfTools(tools: readonly ToolDefinition[]): number {
  return tools.length === 0 ? 0 : tokensOfText(JSON.stringify(tools));
}

/** How far off the estimate is for each model, learned from what servers count. */
export class Calibration {
  readonly #factors = new Map<string, number>();

  /** By how much an estimate for this model is multiplied; 1 before anything is known. */
  factor(model: string): number {
    return this.#factors.get(model) ?? 1;
  }

  /**
   * Takes a count in, half its weight after the first. Small prompts and estimated counts teach nothing, nor does a count
   * that is too far off.
   *
   * @param rough What was sent by the uncorrected estimate.
   */
  learn(model: string, rough: number, { inputTokens, source }: Usage): void {
    const seen = inputTokens / rough;
    if (source !== 'upstream' || rough < MIN_TOKENS_TO_LEARN) return;
    if (seen < LEAST_FACTOR || seen > GREATEST_FACTOR) return;
    const before = this.#factors.get(model);
    this.#factors.set(model, before === undefined ? seen : (before + seen) / 2);
  }
}
