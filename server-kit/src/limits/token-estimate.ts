/** Tokens per byte of text before anything was learned: more than nearly all text has. */
const firstRatio = 0.5;
const [leastRatio, mostRatio] = [1 / 8, 1];
/** Texts shorter than this say more about the template than about the text. */
const learnFromBytes = 256;
/** What a template adds per message, and what an image comes to at most with the usual vision models. */
const tokensPerMessage = 8;
const tokensPerImage = 1024;
/** GPU time per token until it is known, and for the rest of an answer, in ms. */
const firstMsPerToken = 20;
const overheadMs = 1000;
/** How much of the old value stays when a new one is lower. */
const memory = 0.9;
const maxModels = 1000;

/** How much a request says, as far as it can be told before a model has read it. */
export interface InputSize {
  bytes: number;
  messages: number;
  images: number;
}

interface Learned {
  ratio: number;
  msPerToken: number;
}

/** Estimates what an answer will use, from what answers of the same model used. Rather too much than too little. */
export class TokenEstimate {
  readonly #learned = new Map<string, Learned>();

  /** Tokens of the input. */
  inputTokens(model: string, { bytes, messages, images }: InputSize): number {
    const { ratio } = this.#of(model);
    return Math.ceil(bytes * ratio) + messages * tokensPerMessage + images * tokensPerImage;
  }

  /** GPU time of an answer in ms: what every answer takes, and what a token takes. */
  gpuTime(model: string): { fixedMs: number; perTokenMs: number } {
    return { fixedMs: overheadMs, perTokenMs: Math.ceil(this.#of(model).msPerToken) };
  }

  /** Learns from a whole answer whose counts the model server gave. */
  learn(
    model: string,
    size: InputSize,
    used: { inputTokens: number; outputTokens: number; gpuMs: number | undefined },
  ): void {
    const known = this.#of(model);
    const next = { ...known };
    if (size.bytes >= learnFromBytes && size.images === 0 && used.inputTokens > 0) {
      const ratio = Math.max(0, used.inputTokens - size.messages * tokensPerMessage) / size.bytes;
      next.ratio = Math.min(mostRatio, Math.max(leastRatio, upwards(known.ratio, ratio * 1.1)));
    }
    if (used.gpuMs !== undefined && used.outputTokens >= 8) {
      next.msPerToken = Math.max(1, upwards(known.msPerToken, used.gpuMs / used.outputTokens));
    }
    if (!this.#learned.has(model) && this.#learned.size >= maxModels) return;
    this.#learned.set(model, next);
  }

  #of(model: string): Learned {
    return this.#learned.get(model) ?? { ratio: firstRatio, msPerToken: firstMsPerToken };
  }
}

/** Up at once, down slowly: too little reserved overruns a limit, too much is given back. */
function upwards(known: number, seen: number): number {
  return seen >= known ? seen : known * memory + seen * (1 - memory);
}
