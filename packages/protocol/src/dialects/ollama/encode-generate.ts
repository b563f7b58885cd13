import type { GenerateRequest } from '../../chat.ts';
import type { OllamaGenerateBody } from './wire.ts';

/** The body of `POST /api/generate`, also what the kit's native `/generate` takes. */
export function encodeOllamaGenerate(request: GenerateRequest, stream: boolean): OllamaGenerateBody {
  const { model, prompt, system, suffix, images, raw, format, options, think, keepAlive } = request;
  return {
    model,
    prompt,
    stream,
    system,
    suffix,
    images,
    raw,
    format,
    options,
    think,
    keep_alive: keepAlive,
  };
}
