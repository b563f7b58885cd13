export { formatHost, type Host } from './ollama/format-host.ts';
export {
  type AbortableStream,
  Ollama,
  type OllamaConfig,
  ollama,
  ollama as default,
} from './ollama/ollama.ts';
export { ResponseError } from './ollama/response-error.ts';
