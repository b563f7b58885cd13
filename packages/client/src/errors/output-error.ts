import { ZiggieError, type ZiggieErrorDetails } from './ziggie-error.ts';

/** One thing that is wrong with an answer. */
export interface OutputIssue {
  /** What the schema says about it. */
  message: string;
  /** Where in the value; empty for the whole. */
  path: readonly (string | number)[];
}

/** The model's answer does not have the form that was asked for: `schema_invalid`. */
export class OutputError extends ZiggieError {
  override readonly name = 'OutputError';
  /** What the model wrote last. Not enumerable in `toJSON()`: it is an answer. */
  declare readonly text: string;
  /** What is wrong with it. Schemas may quote the value in their words, so these stay out of `toJSON()` too. */
  declare readonly issues: readonly OutputIssue[];

  constructor(
    message: string,
    details: ZiggieErrorDetails & { text: string; issues: readonly OutputIssue[] },
  ) {
    super('schema_invalid', message, details);
  }
}
