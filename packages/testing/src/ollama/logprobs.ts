import { hashText } from './random.ts';
import { tokenize } from './tokens.ts';

/** How likely one token was, as records carry it. */
export interface Logprob {
  token: string;
  logprob: number;
  bytes: number[];
  top_logprobs?: Omit<Logprob, 'top_logprobs'>[] | undefined;
}

/** Tokens that might have come instead. */
const alternatives = [' the', ' a', ' and', ',', '.', ' of', ' to', ' in', ' is', ' it'];

/** Figures for every token of a text: the same for the same text, and the token itself is always the likeliest. */
export function logprobsOf(text: string, top: number): Logprob[] {
  return tokenize(text).map((token) => {
    const own = one(token, -((hashText(token) % 900) + 1) / 1000);
    if (top === 0) return own;
    const others = Array.from({ length: top - 1 }, (_, rank) =>
      one(
        alternatives[(hashText(token) + rank) % alternatives.length] as string,
        own.logprob - (rank + 1) * 0.75,
      ),
    );
    return { ...own, top_logprobs: [own, ...others] };
  });
}

function one(token: string, logprob: number): Logprob {
  return { token, logprob, bytes: [...new TextEncoder().encode(token)] };
}
