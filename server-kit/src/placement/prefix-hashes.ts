/** A block is hashed at the end of every message, and within one every so many characters. */
const blockCharacters = 4096;
/** Blocks of one prompt that are kept: its first and its newest ones. */
const mostBlocks = 64;

/** Growing beginnings of a prompt: a hash and a length in characters each, shortest first. */
export interface PromptPrefix {
  readonly hashes: readonly number[];
  readonly characters: readonly number[];
}

/**
 * Hashes a prompt's growing beginnings: each block's hash goes on from the one before, so equal hashes mean that all up
 * to there is equal. `scope` comes first (the model, the tenant): beginnings of two scopes never match.
 *
 * Not a cryptographic hash: a false match would cost a cache hit, and nothing is read through it.
 */
export function prefixOf(scope: string, parts: readonly string[]): PromptPrefix {
  let state = mixed(0x811c9dc5, 0x01000193, scope, 0, scope.length);
  let total = 0;
  const hashes: number[] = [];
  const characters: number[] = [];
  for (const part of parts) {
    for (let from = 0; from < part.length || from === 0; from += blockCharacters) {
      const to = Math.min(part.length, from + blockCharacters);
      state = mixed(state.low, state.high, part, from, to);
      total += to - from;
      hashes.push(numberOf(state));
      characters.push(total);
    }
  }
  if (hashes.length <= mostBlocks) return { hashes, characters };
  const half = mostBlocks / 2;
  return {
    hashes: [...hashes.slice(0, half), ...hashes.slice(-half)],
    characters: [...characters.slice(0, half), ...characters.slice(-half)],
  };
}

interface State {
  low: number;
  high: number;
}

/** Two FNV-1a-like lanes over UTF-16 units, with the block's end mixed in; 53 bits of them are kept. */
function mixed(low: number, high: number, text: string, from: number, to: number): State {
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + (low >>> 13)), 0x85ebca6b);
  }
  return { low: Math.imul(low ^ 0xff51, 0xc2b2ae35), high: Math.imul(high ^ 0xafd7, 0x27d4eb2f) };
}

function numberOf({ low, high }: State): number {
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
