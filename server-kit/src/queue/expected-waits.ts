import { Heap, type HeapItem } from './heap.ts';

/** How often the line is played through: often enough for a steady median, less for a long line. */
const maxPlays = 33;
const minPlays = 5;
const jobsPlayed = 4000;

/** A place that will be free in so many ms. */
interface FreePlace extends HeapItem {
  inMs: number;
}

/** Times that are equally likely, in ms. */
export type Likely = readonly number[];

/**
 * When each job of a line will begin, in ms from now, in the order of the line: the median of playing it through with
 * times drawn from what is likely. One time for each job would not do: of four places whose answers may take any time the
 * first is free much sooner than after one answer's mean.
 *
 * @param rests What is left of the jobs that are being served: each of their places serves the line when it is free.
 *   Without any there is nothing to go by, and nobody can say.
 * @param services What each waiting job will take.
 */
export function expectedWaits(rests: readonly Likely[], services: readonly Likely[]): (number | null)[] {
  if (rests.length === 0) return services.map(() => null);
  const plays = Math.max(minPlays, Math.min(maxPlays, Math.ceil(jobsPlayed / Math.max(1, services.length))));
  const waits = services.map(() => new Float64Array(plays));
  const draw = drawer();
  for (let play = 0; play < plays; play++) {
    const places = new Heap<FreePlace>((a, b) => a.inMs < b.inMs);
    for (const rest of rests) places.add({ inMs: draw(rest), heapIndex: -1 });
    services.forEach((service, at) => {
      const place = places.first as FreePlace;
      (waits[at] as Float64Array)[play] = place.inMs;
      place.inMs += draw(service);
      places.moved(place);
    });
  }
  return waits.map((times) => times.sort()[plays >> 1] as number);
}

/** Draws that are the same each time, so that what people are told does not flicker (mulberry32). */
function drawer(): (likely: Likely) => number {
  let state = 1;
  return (likely) => {
    if (likely.length === 1) return likely[0] as number;
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const share = ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    return likely[Math.floor(share * likely.length)] as number;
  };
}
