/** Numbers by lot that come again with their seed. */
export interface Random {
  /** A whole number from 0 up to and without `limit`. */
  below(limit: number): number;
}

/** Marsaglia's xorshift of 32 bits. */
export function createRandom(seed: number): Random {
  let state = seed | 0 || 1;
  return {
    below: (limit) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % limit;
    },
  };
}
