import type { AnyTemplate } from './define-template.ts';

/** What one can choose from. */
export interface TemplateRegistry {
  /** The newest version of each, in order of names. */
  list(): readonly AnyTemplate[];
  /**
   * The newest version, or the one asked for.
   *
   * @throws {RangeError} when there is none; the message says which there are.
   */
  get(name: string, version?: number): AnyTemplate;
}

/**
 * A list of templates to look up by name, for menus and stored names. Older versions may stay in it.
 *
 * @throws {TypeError} when a version stands in it twice.
 */
export function createTemplateRegistry(templates: readonly AnyTemplate[]): TemplateRegistry {
  const byName = new Map<string, AnyTemplate[]>();
  for (const template of templates) {
    const versions = byName.get(template.name) ?? [];
    if (versions.some(({ version }) => version === template.version)) {
      throw new TypeError(
        `Making a registry: "${template.name}" stands in it twice as version ${template.version}.`,
      );
    }
    byName.set(
      template.name,
      [...versions, template].sort((a, b) => b.version - a.version),
    );
  }
  const names = [...byName.keys()].sort();
  return {
    list: () => names.map((name) => byName.get(name)?.[0] as AnyTemplate),
    get(name, version) {
      const versions = byName.get(name);
      if (versions === undefined)
        throw new RangeError(`There is no template "${name}". There are: ${names.join(', ')}.`);
      const found = version === undefined ? versions[0] : versions.find((one) => one.version === version);
      if (found === undefined) {
        const there = versions.map((one) => one.version).join(', ');
        throw new RangeError(`Template "${name}" has no version ${version}. There are: ${there}.`);
      }
      return found;
    },
  };
}
