/**
 * What a load balancer in front of the kits does: requests go to them in turn, and one that cannot be reached hands over
 * to the next. An answer that has begun stays where it is; when it breaks before its first token, the client asks again
 * and comes to the next kit by itself.
 */
export function balancedFetch(origins: readonly string[]): typeof fetch {
  let turn = 0;
  return async (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const first = turn++;
    for (let tried = 0; ; tried++) {
      const origin = origins[(first + tried) % origins.length];
      try {
        return await fetch(`${origin}${pathname}${search}`, init);
      } catch (error) {
        if (init?.signal?.aborted || tried + 1 >= origins.length) throw error;
      }
    }
  };
}
