import type { ModelInfo } from '@ziggie/llm-protocol';
import * as z from 'zod';
import { parse } from '../../request/parse.ts';
import type { ModelFile } from '../../upstream/model-catalog.ts';
import { canonicalName } from '../../upstream/model-name.ts';
import { findModel } from '../find-model.ts';

/** Finds it by canonical name. */
export type FileOf = (canonical: string) => ModelFile | undefined;

/** `GET /api/tags`: the models that the caller may use. */
export function ollamaTags(models: readonly ModelInfo[], fileOf: FileOf): unknown {
  return {
    models: models.map((model) => ({
      ...entryOf(model, fileOf),
      modified_at: modifiedAt(model, fileOf),
      capabilities: model.capabilities,
    })),
  };
}

/** `GET /api/ps`: those of them that are in memory. */
export function ollamaPs(models: readonly ModelInfo[], fileOf: FileOf): unknown {
  return {
    models: models.flatMap((model) => {
      const { loaded, contextLength } = model;
      if (!loaded) return [];
      return {
        ...entryOf(model, fileOf),
        expires_at: loaded.expiresAt ?? never,
        size_vram: loaded.sizeVramBytes ?? 0,
        ...(contextLength === null ? {} : { context_length: contextLength }),
      };
    }),
  };
}

const showSchema = z.object({ model: z.string().min(1).optional(), name: z.string().min(1).optional() });

/** The name in a body of `POST /api/show`; old clients send it as `name`. @throws {KitFailure} `bad_request` */
export function shownName(value: unknown): string {
  const { model, name } = parse(showSchema, value);
  return parse(z.string({ error: 'model is required' }), model ?? name);
}

/**
 * `POST /api/show`: what a caller needs to choose. Template, system prompt, licence and modelfile stay with the operator:
 * the last one names files of the server.
 *
 * @throws {KitFailure} `model_not_found`
 */
export function ollamaShow(models: readonly ModelInfo[], name: string, fileOf: FileOf): unknown {
  const model = findModel(models, name);
  const { family, contextLength, capabilities } = model;
  const architecture = family ?? 'unknown';
  return {
    details: detailsOf(model),
    model_info: {
      'general.architecture': architecture,
      ...(contextLength === null ? {} : { [`${architecture}.context_length`]: contextLength }),
    },
    capabilities,
    modified_at: modifiedAt(model, fileOf),
  };
}

/** What Ollama writes for a model that stays for ever. */
const never = '2318-01-01T00:00:00Z';

function entryOf(model: ModelInfo, fileOf: FileOf) {
  const { name, sizeBytes } = model;
  return {
    name,
    model: name,
    size: sizeBytes ?? 0,
    digest: fileOf(canonicalName(name))?.digest ?? '',
    details: detailsOf(model),
  };
}

function modifiedAt({ name }: ModelInfo, fileOf: FileOf): string {
  return fileOf(canonicalName(name))?.modifiedAt ?? new Date(0).toISOString();
}

function detailsOf({ family, parameterSize, quantization, contextLength }: ModelInfo) {
  return {
    parent_model: '',
    format: '',
    family: family ?? '',
    families: family === null ? [] : [family],
    parameter_size: parameterSize ?? '',
    quantization_level: quantization ?? '',
    ...(contextLength === null ? {} : { context_length: contextLength }),
  };
}
