/** A model in memory, when another one wants its room. */
export interface Resident {
  readonly name: string;
  readonly bytes: number;
  readonly isIdle: boolean;
  /** Whether somebody has said that it stays. */
  readonly isKept: boolean;
  readonly lastUsedAt: number;
  /** What it costs when it is gone, in ms ({@link lossMs}). */
  readonly lossMs: number;
}

/**
 * Which models go so that another one fits: those that are missed least, of equals those used least recently. Idle ones
 * before busy ones, whatever they are worth: Ollama takes an idle one while a busy one is left to its answers. What was told
 * to stay goes last of each.
 *
 * @param fits Whether the other model fits once so many bytes are free.
 * @returns Nothing where there is room; all of them where even that is too little.
 */
export function toEvict(residents: readonly Resident[], fits: (freedBytes: number) => boolean): Resident[] {
  const going: Resident[] = [];
  if (fits(0)) return going;
  const order = [...residents].sort(
    (a, b) =>
      Number(b.isIdle) - Number(a.isIdle) ||
      Number(a.isKept) - Number(b.isKept) ||
      a.lossMs - b.lossMs ||
      a.lastUsedAt - b.lastUsedAt,
  );
  let freed = 0;
  for (const resident of order) {
    going.push(resident);
    freed += resident.bytes;
    if (fits(freed)) break;
  }
  return going;
}

/** What is known of a model that would go. */
export interface Loss {
  /** How long it takes to load again. */
  loadMs: number;
  /** How probable it is that somebody asks for it soon, 0 to 1. */
  missed: number;
  /** How many requests for it come in a ms. */
  perMs: number;
  /** How long an answer of it holds its place. */
  serviceMs: number;
  /** Answers of it that other upstreams write at once. */
  placesElsewhere: number;
}

/**
 * How many loads it costs when the only copy of a model in use goes: it comes back and puts out another in turn. Found by
 * `bench/placement`: lower, and loads chase each other; higher, and lines grow that a load would end.
 */
const chain = 5;

/**
 * What it costs when a model goes from one upstream: as many loads as that sets off, as far as it will be missed. Where
 * others have it too, as far as they are too few for those who ask: a copy that nobody needs costs nothing.
 */
export function lossMs({ loadMs, missed, perMs, serviceMs, placesElsewhere }: Loss): number {
  const busy = placesElsewhere === 0 ? 1 : Math.min(1, (perMs * serviceMs) / placesElsewhere);
  return loadMs * missed * chain * busy ** 2;
}
