import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    express: 'src/express.ts',
    fastify: 'src/fastify.ts',
    node: 'src/node.ts',
    'stores-sqlite': 'src/stores-sqlite.ts',
    'stores-redis': 'src/stores-redis.ts',
  },
  format: ['esm'],
  clean: true,
  sourcemap: true,
  target: 'node22',
  platform: 'node',
});
