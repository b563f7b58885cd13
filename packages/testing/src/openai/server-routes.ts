import type { Handler, RouteTable } from '../http/routes.ts';
import { empty, text } from '../ollama/answers.ts';
import { tokenize } from '../ollama/tokens.ts';
import type { World } from '../ollama/world.ts';
import { readBody } from './chat-completions.ts';
import { openAiJson } from './chat-surface.ts';
import type { OpenAiServer } from './server.ts';

/** What a server has beside OpenAI's routes. */
export function serverRoutes(server: OpenAiServer): RouteTable {
  if (server.profile.name === 'vllm') return vllmRoutes(server);
  return server.profile.name === 'llama.cpp' ? llamaRoutes(server) : {};
}

function vllmRoutes({ profile }: OpenAiServer): RouteTable {
  const health: Handler = () => empty(200);
  const version: Handler = () => openAiJson(profile, { version: '0.11.2' });
  const metrics: Handler = (world) =>
    text(vllmMetrics(world), 200, 'text/plain; version=0.0.4; charset=utf-8');
  return {
    '/health': { GET: health },
    '/ping': { GET: health, POST: health },
    '/version': { GET: version },
    '/metrics': { GET: metrics },
    '/tokenize': {
      async POST(world, incoming) {
        const body = await readBody(incoming);
        const count = tokenize(String(body['prompt'] ?? '')).length;
        const tokens = Array.from({ length: count }, (_, at) => at + 1);
        return openAiJson(profile, {
          count,
          max_model_len: world.catalog.inOrder()[0]?.contextLength ?? 0,
          tokens,
          token_strs: null,
        });
      },
    },
  };
}

/** The two figures that say how busy it is. */
function vllmMetrics({ scheduler, catalog }: World): string {
  const model = catalog.inOrder()[0]?.displayName ?? '';
  const gauge = (name: string, help: string, value: number) =>
    `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}{engine="0",model_name="${model}"} ${value.toFixed(1)}\n`;
  return (
    gauge('vllm:num_requests_running', 'Number of requests in model execution batches.', scheduler.running) +
    gauge('vllm:num_requests_waiting', 'Number of requests waiting to be processed.', scheduler.waiting)
  );
}

function llamaRoutes({ profile }: OpenAiServer): RouteTable {
  const health: Handler = () => openAiJson(profile, { status: 'ok' });
  const properties: Handler = (world) => openAiJson(profile, props(world));
  return {
    '/health': { GET: health },
    '/v1/health': { GET: health },
    '/props': { GET: properties },
    '/slots': {
      GET(world) {
        const contextLength = world.catalog.inOrder()[0]?.contextLength ?? 0;
        const slots = Array.from({ length: world.slotsPerModel }, (_, id) => ({
          id,
          n_ctx: Math.floor(contextLength / world.slotsPerModel),
          is_processing: id < world.scheduler.running,
        }));
        return { ...openAiJson(profile, {}), body: JSON.stringify(slots) };
      },
    },
    '/tokenize': {
      async POST(_, incoming) {
        const body = await readBody(incoming);
        return openAiJson(profile, {
          tokens: tokenize(String(body['content'] ?? '')).map((_token, at) => at + 1),
        });
      },
    },
  };
}

function props(world: World) {
  const model = world.catalog.inOrder()[0];
  return {
    default_generation_settings: {
      id: 0,
      n_ctx: Math.floor((model?.contextLength ?? 0) / world.slotsPerModel),
      params: { n_predict: -1, temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05 },
    },
    total_slots: world.slotsPerModel,
    model_path: `/models/${model?.displayName ?? ''}.gguf`,
    modalities: { vision: model?.capabilities.includes('vision') ?? false, audio: false },
    chat_template: '{{ messages }}',
    bos_token: '<s>',
    eos_token: '</s>',
    build_info: 'b6881-8b11deea4',
  };
}
