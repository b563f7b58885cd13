import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    admin: 'src/admin.ts',
    otel: 'src/otel.ts',
    conversation: 'src/conversation.ts',
    storage: 'src/storage.ts',
    websocket: 'src/websocket.ts',
    tools: 'src/tools.ts',
    templates: 'src/templates.ts',
    ollama: 'src/ollama.ts',
    // Chunks of their own: a page that only opens a storage does not begin with them.
    'conversation/history': 'src/conversation/history.ts',
    'conversation/exchange/export': 'src/conversation/exchange/export.ts',
    'conversation/exchange/import': 'src/conversation/exchange/import.ts',
    'http/platform-transport': 'src/http/platform-transport.ts',
    'http/platform-transport.node': 'src/http/platform-transport.node.ts',
  },
  format: ['esm'],
  clean: true,
  sourcemap: true,
  target: 'es2022',
  platform: 'neutral',
  // Left in the output: whoever runs or bundles it chooses by the `node` condition, see `imports` in package.json.
  external: ['#platform-transport', /^node:/],
});
