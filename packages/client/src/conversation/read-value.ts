import { ConversationStorageError } from './storage-error.ts';

/**
 * Reads a value of a saved record as what it is: untrusted.
 *
 * @throws {ConversationStorageError} `corrupt_record`. The message names the place, never the value.
 */
export type Read<T> = (value: unknown) => T;

/** Where the value that is read now stands. One for all, and no text before it is needed: a record has thousands of members. */
const path: (string | number)[] = [];

/** @param member What is wrong. Default: the value that is read now. */
export function corrupt(member: string = pathText()): ConversationStorageError {
  path.length = 0;
  return new ConversationStorageError(
    'corrupt_record',
    `Reading a saved conversation: ${member} is not as this library writes it. The record was left as it is.`,
  );
}

function pathText(): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return text === '' ? 'the record' : text.slice(1);
}

function inside<T>(step: string | number, read: Read<T>, value: unknown): T {
  path.push(step);
  const result = read(value);
  path.pop();
  return result;
}

export function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt();
  return value as Record<string, unknown>;
}

function array(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw corrupt();
  return value;
}

export function boolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw corrupt();
  return value;
}

export function string(value: unknown): string {
  if (typeof value !== 'string') throw corrupt();
  return value;
}

export function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw corrupt();
  return value;
}

export function oneOf<T extends string>(...allowed: readonly T[]): Read<T> {
  return (value) => {
    if (!(allowed as readonly unknown[]).includes(value)) throw corrupt();
    return value as T;
  };
}

export function orNull<T>(read: Read<T>): Read<T | null> {
  return (value) => (value === null ? null : read(value));
}

/** For members that may be absent. */
export function maybe<T>(read: Read<T>): Read<T | undefined> {
  return (value) => (value === undefined ? undefined : read(value));
}

export function list<T>(read: Read<T>): Read<T[]> {
  return (value) => array(value).map((item, index) => inside(index, read, item));
}

export function pair<A, B>(first: Read<A>, second: Read<B>): Read<[A, B]> {
  return (value) => {
    const [one, other] = array(value);
    return [inside(0, first, one), inside(1, second, other)];
  };
}

/** A copy with these members, in this order; others are dropped. */
export function members<T extends object>(readers: { readonly [name in keyof T]-?: Read<T[name]> }): Read<T> {
  return (value) => {
    const from = object(value);
    const copy: Partial<T> = {};
    for (const name in readers) {
      const member = inside(name, readers[name], from[name]);
      if (member !== undefined) copy[name] = member;
    }
    return copy as T;
  };
}

/** One of several forms, told apart by their `kind`. */
export function byKind<T extends { kind: string }>(
  forms: {
    readonly [kind in T['kind']]: Read<Extract<T, { kind: kind }>>;
  },
): Read<T> {
  return (value) => {
    const kind = object(value)['kind'] as T['kind'];
    return Object.hasOwn(forms, kind) ? forms[kind](value) : inside('kind', refuse, kind);
  };
}

function refuse(): never {
  throw corrupt();
}
