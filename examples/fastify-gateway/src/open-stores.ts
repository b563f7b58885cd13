import type { EnvironmentConfig, Stores } from '@ziggie/llm-server-kit';

/** Stores and how to close them; nothing for memory, which the kit makes itself. */
export interface OpenStores {
  stores: Stores | undefined;
  close: () => void;
}

/** Opens what the environment asks for. What is not asked for is not even loaded. */
export async function openStores(store: EnvironmentConfig['store']): Promise<OpenStores> {
  switch (store.kind) {
    case 'memory':
      return { stores: undefined, close: () => {} };
    case 'sqlite': {
      const { createSqliteStores } = await import('@ziggie/llm-server-kit/stores-sqlite');
      return createSqliteStores({ path: store.path, streams: store.streams });
    }
    case 'redis': {
      const { createRedisStores } = await import('@ziggie/llm-server-kit/stores-redis');
      return createRedisStores({ url: store.url, nodes: store.nodes, deadlineMs: store.deadlineMs });
    }
  }
}
