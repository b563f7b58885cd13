/** Readers of members that may be anything: each gives the value when it is what was asked for, else nothing. */

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A time in seconds since 1970, as other tools write it (some in ms or ns), in ms. */
export function asTimeMs(value: unknown): number | undefined {
  if (typeof value === 'string') {
    const parsed = Date.parse(value);
    return Number.isNaN(parsed) ? undefined : parsed;
  }
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return undefined;
  if (value > 1e16) return Math.round(value / 1e6);
  return Math.round(value > 1e11 ? value : value * 1000);
}

/** Those of a list that are objects. */
export function objectsIn(list: readonly unknown[]): Record<string, unknown>[] {
  return list.map(asObject).filter((value) => value !== undefined);
}
