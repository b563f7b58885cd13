import type { ZiggieClient } from '@ziggie/llm-client';
import type { Cell } from '@ziggie/llm-client/conversation';
import { createCell } from '../hooks/value-cell.ts';

/** The client of a provider. The code of one that it makes itself comes after the page: no chat needs it to be shown. */
export interface ClientSource extends Cell<ZiggieClient | null> {
  /** Rejects when the code cannot be fetched; the next call tries again. */
  readonly open: () => Promise<ZiggieClient>;
  /** Why it cannot be made: a wrong argument, for whoever wrote the page. */
  readonly refusal: Cell<unknown>;
}

type Code = typeof import('./client-code.ts');

/** @param make Is asked unless a client is `given`. */
export function clientSource(
  given: ZiggieClient | undefined,
  make: (code: Code) => ZiggieClient,
): ClientSource {
  const cell = createCell(given ?? null);
  const refusal = createCell<unknown>(null);
  let opening: Promise<ZiggieClient> | null = null;
  const fetchAndMake = async () => {
    const code = await import('./client-code.ts');
    try {
      const client = make(code);
      cell.set(client);
      return client;
    } catch (error) {
      refusal.set(error);
      throw error;
    }
  };
  const open = () => {
    opening ??= fetchAndMake().finally(() => {
      opening = null;
    });
    return opening;
  };
  return {
    ...cell,
    refusal,
    open: async () => cell.get() ?? open(),
  };
}
