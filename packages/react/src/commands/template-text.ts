import type { AnyTemplate } from '@ziggie/llm-client/templates';

/** Values for the variables of a template, by name. */
export type TemplateValues = Readonly<Record<string, string>>;

/** The variables that have no value yet and no default. */
export function missingIn(template: AnyTemplate, values: TemplateValues): string[] {
  return template.variables.filter((name) => !(name in template.defaults) && !values[name]?.trim());
}

/** What a template says with these values, as one message that the reader can look at. Empty values get the default. */
export function textOf(template: AnyTemplate, values: TemplateValues): string {
  const given = Object.fromEntries(
    Object.entries(values).filter(([name, value]) => value.trim() !== '' || !(name in template.defaults)),
  );
  return template
    .render(given as never)
    .map(({ content }) => content)
    .join('\n\n');
}

/** `sourceText` and `source_text` as `Source text`. */
export function labelOf(variable: string): string {
  const words = variable
    .replace(/_+/g, ' ')
    .replace(/([a-z\d])([A-Z])/g, (_, end, next) => `${end} ${next.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
