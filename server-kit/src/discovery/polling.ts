import type { Clock } from '../clock.ts';
import type { UpstreamOptions } from '../upstreams/upstream-settings.ts';
import type { DiscoveryListener, UpstreamDiscovery } from './upstream-discovery.ts';

/** Why something could not be found out, in words that may be logged. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}

/** A reason for the log: an error's code, or our own words. Texts of others may hold addresses and tokens. */
export function reasonFor(thrown: unknown): string {
  if (thrown instanceof NotFound) return thrown.message;
  const { code, name } = (thrown ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name ?? 'unknown');
}

/** A discovery that looks again and again, each time `everyMs` after the last look has ended. */
export function polling(
  look: (clock: Clock) => Promise<readonly UpstreamOptions[]>,
  everyMs: number,
): UpstreamDiscovery {
  return {
    watch({ found, failed, clock }: DiscoveryListener) {
      let isOver = false;
      let cancel = () => {};
      const again = async (): Promise<void> => {
        try {
          const list = await look(clock);
          if (!isOver) found(list);
        } catch (thrown) {
          if (!isOver) failed(reasonFor(thrown));
        }
        if (!isOver) cancel = clock.setTimer(() => void again(), everyMs);
      };
      void again();
      return () => {
        isOver = true;
        cancel();
      };
    },
  };
}
