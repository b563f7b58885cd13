import { KitFailure } from '../failure.ts';

/** The members that are there. */
export function present<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  ) as { [Name in keyof Members]?: NonNullable<Members[Name]> };
}

/** A tool without the members that our shape does not have (`strict`, `items`, `type` of a parameter list). */
export function knownTool(tool: unknown): unknown {
  const given = (tool as { function?: Record<string, unknown> } | null)?.function;
  if (typeof given !== 'object' || given === null) return tool;
  const { name, description, parameters } = given;
  return { type: 'function', function: present({ name, description, parameters }) };
}

/** The refusal of a body that has the form and cannot be meant. */
export function refused(what: string): KitFailure {
  return new KitFailure('bad_request', `The request is not valid. ${what}.`);
}
