import type { ModelInfo } from '@ziggie/llm-protocol';
import { canonicalName } from '../../upstream/model-name.ts';
import { findModel } from '../find-model.ts';
import type { FileOf } from '../ollama/model-lists.ts';

/** `GET /v1/models`: the models that the caller may use. */
export function openAiModels(models: readonly ModelInfo[], fileOf: FileOf): unknown {
  return { object: 'list', data: models.map((model) => entryOf(model, fileOf)) };
}

/** `GET /v1/models/:model`. @throws {KitFailure} `model_not_found` */
export function openAiModel(models: readonly ModelInfo[], name: string, fileOf: FileOf): unknown {
  return entryOf(findModel(models, name), fileOf);
}

function entryOf({ name }: ModelInfo, fileOf: FileOf): unknown {
  const modified = Date.parse(fileOf(canonicalName(name))?.modifiedAt ?? '');
  const [owner, rest] = name.split('/');
  return {
    id: name,
    object: 'model',
    created: Number.isNaN(modified) ? 0 : Math.floor(modified / 1000),
    owned_by: rest === undefined ? 'library' : owner,
  };
}
