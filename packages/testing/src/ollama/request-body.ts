import { HttpFailure } from './http-failure.ts';

type Kind = 'string' | 'bool' | 'array' | 'object';

/** Go's words for what it found and what it wanted. */
const goKinds: Record<Kind, string> = { string: 'string', bool: 'bool', array: 'slice', object: 'map' };

/** The members of a JSON request body, found without regard to case, as Go's decoder does; unknown ones are ignored. */
export class RequestBody {
  readonly #struct: string;
  readonly #members: ReadonlyMap<string, unknown>;

  private constructor(struct: string, members: ReadonlyMap<string, unknown>) {
    this.#struct = struct;
    this.#members = members;
  }

  /**
   * @param struct Name of Ollama's struct, for the error texts.
   * @throws {HttpFailure} 400 for no body, broken JSON or something else than an object.
   */
  static parse(text: string, struct: string): RequestBody {
    if (text === '') throw new HttpFailure(400, 'missing request body');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new HttpFailure(400, goSyntaxError(text));
    }
    if (value === null) return new RequestBody(struct, new Map());
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw new HttpFailure(
        400,
        `json: cannot unmarshal ${kindOf(value)} into Go value of type api.${struct}`,
      );
    }
    return RequestBody.of(value as Record<string, unknown>, struct);
  }

  static of(value: Readonly<Record<string, unknown>>, struct: string): RequestBody {
    const members = Object.entries(value).map(([name, member]) => [name.toLowerCase(), member] as const);
    return new RequestBody(struct, new Map(members));
  }

  /** All members, by their names in lower case. */
  get members(): Record<string, unknown> {
    return Object.fromEntries(this.#members);
  }

  /** A member as it is; `null` counts as absent. */
  any(name: string): unknown {
    return this.#members.get(name) ?? undefined;
  }

  string(name: string): string | undefined {
    return this.#read(name, 'string', (value) => typeof value === 'string') as string | undefined;
  }

  bool(name: string): boolean | undefined {
    return this.#read(name, 'bool', (value) => typeof value === 'boolean') as boolean | undefined;
  }

  array(name: string): unknown[] | undefined {
    return this.#read(name, 'array', Array.isArray) as unknown[] | undefined;
  }

  object(name: string): Record<string, unknown> | undefined {
    return this.#read(name, 'object', isObject) as Record<string, unknown> | undefined;
  }

  #read(name: string, kind: Kind, fits: (value: unknown) => boolean): unknown {
    const value = this.any(name);
    if (value !== undefined && !fits(value)) throw wrongType(value, `${this.#struct}.${name}`, goKinds[kind]);
    return value;
  }
}

/** Go's complaint about a member of another type. */
export function wrongType(value: unknown, field: string, goType: string): HttpFailure {
  return new HttpFailure(
    400,
    `json: cannot unmarshal ${kindOf(value)} into Go struct field ${field} of type ${goType}`,
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function goSyntaxError(text: string): string {
  const first = text.trimStart()[0];
  if (first !== undefined && !/[[{"\d\-tfn]/.test(first)) {
    return `invalid character '${first}' looking for beginning of value`;
  }
  return 'unexpected EOF';
}
