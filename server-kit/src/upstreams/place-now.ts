import { upstreamFailure } from '../upstream/failures.ts';
import type { Place, PlaceAsk } from './places.ts';
import type { Upstreams } from './upstreams.ts';

/** A place that is free now. @throws {KitFailure} when there is none. */
export function placeNow(upstreams: Upstreams, ask: PlaceAsk): Place {
  const place = upstreams.tryTake(ask);
  if (typeof place === 'object') return place;
  if (place === 'unknown_model') throw upstreamFailure('model_not_found', 'no upstream has it');
  if (place === 'busy') throw upstreamFailure('server_busy', 'every place is taken');
  throw upstreamFailure('upstream_unreachable', 'no upstream is healthy', undefined, upstreams.reopensInMs());
}
