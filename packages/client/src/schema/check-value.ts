import type { OutputIssue } from '../errors/output-error.ts';
import type { StandardSchema } from './standard-schema.ts';

/** A value that fits, or what is wrong with it. */
export type Checked<T> = { value: T; issues?: undefined } | { issues: readonly OutputIssue[] };

/** Asks the schema; paths come out flat. */
export async function checkValue<T>(schema: StandardSchema<unknown, T>, value: unknown): Promise<Checked<T>> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { value: result.value };
  return {
    issues: result.issues.map(({ message, path = [] }) => ({
      message,
      path: path.map((step) => {
        const key = typeof step === 'object' ? step.key : step;
        return typeof key === 'number' ? key : String(key);
      }),
    })),
  };
}

/** Most issues that are told to a model: a list with one wrong type would fill its context. */
const MAX_TOLD = 12;

/** The issues for a model to read, one per line. */
export function tellIssues(issues: readonly OutputIssue[]): string {
  const lines = issues
    .slice(0, MAX_TOLD)
    .map(({ message, path }) => `- ${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`);
  if (issues.length > MAX_TOLD) lines.push(`- and ${issues.length - MAX_TOLD} more`);
  return lines.join('\n');
}
