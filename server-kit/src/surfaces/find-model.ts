import type { ModelInfo } from '@ziggie/llm-protocol';
import { upstreamFailure } from '../upstream/failures.ts';
import { canonicalName } from '../upstream/model-name.ts';

/** The model of a name among those that the caller may use. @throws {KitFailure} `model_not_found` */
export function findModel(models: readonly ModelInfo[], name: string): ModelInfo {
  const wanted = canonicalName(name);
  const model = models.find((one) => canonicalName(one.name) === wanted);
  if (!model) throw upstreamFailure('model_not_found', 'not in the list of models');
  return model;
}
