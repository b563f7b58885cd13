import type { Catalog, InstalledModel } from './catalog.ts';
import { HttpFailure } from './http-failure.ts';
import { parseModelName, shortName } from './model-name.ts';

/** How a route words that a model is not there: Ollama has four ways. */
export type NotFoundText = 'single' | 'with-tag' | 'double' | 'pull-first';

/**
 * The installed model of that name.
 *
 * @throws {HttpFailure} 400 for an impossible name, 404 in the route's own words.
 */
export function installedFor(catalog: Catalog, given: string, notFound: NotFoundText): InstalledModel {
  const name = parseModelName(given);
  if (!name) throw new HttpFailure(400, 'invalid model name');
  const model = catalog.find(given);
  if (model) return model;
  const texts: Record<NotFoundText, string> = {
    single: `model '${given}' not found`,
    'with-tag': `model '${shortName(name)}' not found`,
    double: `model "${given}" not found`,
    'pull-first': `model "${given}" not found, try pulling it first`,
  };
  throw new HttpFailure(404, texts[notFound]);
}

/**
 * Refuses what the model cannot do.
 *
 * @throws {HttpFailure} 400; several missing capabilities are joined by line ends.
 */
export function requireCapabilities(
  model: InstalledModel,
  given: string,
  verb: 'chat' | 'generate',
  wanted: readonly string[],
): void {
  if (!model.capabilities.includes('completion')) {
    throw new HttpFailure(400, `"${given}" does not support ${verb}`);
  }
  const missing = wanted.filter((capability) => !model.capabilities.includes(capability));
  if (missing.length > 0) {
    throw new HttpFailure(
      400,
      missing.map((capability) => `${model.fullName} does not support ${capability}`).join('\n'),
    );
  }
}

const levels: readonly unknown[] = ['high', 'medium', 'low', 'max'];

/**
 * Whether the model is to think: on unless switched off, since v0.12.4.
 *
 * @throws {HttpFailure} 400 for a value that is no level, or thinking asked of a model that cannot.
 */
export function thinkSetting(value: unknown, model: InstalledModel, given: string): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'boolean' && !levels.includes(value)) {
    throw new HttpFailure(
      400,
      `invalid think value: ${JSON.stringify(value)} (must be "high", "medium", "low", "max", true, or false)`,
    );
  }
  if (value !== false && !model.capabilities.includes('thinking')) {
    throw new HttpFailure(400, `"${given}" does not support thinking`);
  }
  return value !== false;
}
