import { algorithms, type JwtAlgorithm } from '../auth/auth-types.ts';
import { type RedactKind, redactKinds } from '../content/detectors.ts';

/** What a number must be like. */
interface NumberForm {
  min: number;
  max?: number;
  isWhole?: boolean;
  mayBeInfinite?: boolean;
}

/** A number; no `1e3`, no spaces, no hexadecimal, which a reader of a file might not mean. */
export function number({ min, max = Number.MAX_SAFE_INTEGER, isWhole, mayBeInfinite }: NumberForm) {
  const sort = isWhole ? 'a whole number' : 'a number';
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (text: string): number => {
    if (mayBeInfinite && text === 'Infinity') return Number.POSITIVE_INFINITY;
    const value = Number(text);
    const fits = /^\d+(\.\d+)?$/.test(text) && value >= min && value <= max;
    if (!fits || (isWhole && !Number.isInteger(value))) {
      throw new Error(`must be ${sort} ${range}${mayBeInfinite ? ', or Infinity' : ''}`);
    }
    return value;
  };
}

export function text(value: string): string {
  return value;
}

export function truth(value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new Error('must be true or false');
}

/** Comma-separated, each read by itself. */
export function list<T>(read: (text: string) => T) {
  return (value: string): T[] =>
    value
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .map(read);
}

/** How long a first token is waited for; `undefined` as it was learned. */
export function hedge(value: string): { afterMs: number | undefined } {
  if (value === 'learned') return { afterMs: undefined };
  try {
    return { afterMs: number({ min: 1, max: 86_400_000 })(value) };
  } catch (thrown) {
    throw new Error(`${(thrown as Error).message}, or learned`);
  }
}

export function url(value: string): string {
  const parsed = URL.parse(value);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new Error('must be an http or https URL such as http://gpu-1:11434');
  }
  return value;
}

export function origins(value: string): string {
  if (URL.parse(value)?.origin !== value) {
    throw new Error('must be exact origins such as https://app.example, without a path and without *');
  }
  return value;
}

export function hosts(value: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(value)) throw new Error('must be an address such as 127.0.0.1');
  return value;
}

export function prefix(value: string): string {
  if (value !== '' && !/^(?:\/[A-Za-z0-9._~:-]+)+$/.test(value)) {
    throw new Error('must be a path such as /api/llm');
  }
  return value;
}

/** How many proxies, or which. */
export function proxies(value: string): number | string[] {
  if (/^\d+$/.test(value)) return Number(value);
  const entries = list(text)(value);
  if (entries.length === 0 || !entries.every((entry) => /^[0-9A-Fa-f:.]+(?:\/\d{1,3})?$/.test(entry))) {
    throw new Error('must be how many proxies are in front, or their addresses and CIDRs such as 10.0.0.0/8');
  }
  return entries;
}

export function kinds(value: string): RedactKind {
  const kind = redactKinds.find((one) => one === value);
  if (kind === undefined) throw new Error(`must be of ${redactKinds.join(', ')}`);
  return kind;
}

export function jwtAlgorithms(value: string): JwtAlgorithm {
  const algorithm = algorithms.find((one) => one === value);
  if (algorithm === undefined) throw new Error(`must be of ${algorithms.join(', ')}`);
  return algorithm;
}

export function cacheScopes(value: string): 'tenant' | 'user' {
  if (value !== 'tenant' && value !== 'user') throw new Error('must be tenant or user');
  return value;
}
