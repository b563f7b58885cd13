import type { CutKind } from '../script/step-types.ts';

/** A request that is answered with an error status and `{"error": message}`. */
export class HttpFailure extends Error {
  readonly status: number;
  /** Whether Ollama sends it from a streaming handler, whose content type lacks the charset. */
  readonly fromRunner: boolean;
  /** Replaces the JSON body. */
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Raised before a compatibility route takes over: worded as Ollama's own routes do, there too. */
  readonly native: boolean;
  /** Raised by a compatibility route while it reads the request: Ollama writes these in another way. */
  early = false;
  /** Members beside `error`. */
  readonly members: Readonly<Record<string, unknown>>;
  /** `param` and `code` of OpenAI's errors. */
  readonly param: string | undefined;
  readonly code: string | undefined;

  constructor(
    status: number,
    message: string,
    more: {
      fromRunner?: boolean | undefined;
      body?: string | undefined;
      headers?: Record<string, string> | undefined;
      native?: boolean | undefined;
      members?: Record<string, unknown> | undefined;
      param?: string | undefined;
      code?: string | undefined;
    } = {},
  ) {
    super(message);
    this.name = 'HttpFailure';
    this.status = status;
    this.fromRunner = more.fromRunner ?? false;
    this.body = more.body;
    this.headers = more.headers ?? {};
    this.native = more.native ?? false;
    this.members = more.members ?? {};
    this.param = more.param;
    this.code = more.code;
  }
}

/** Reads a request; what it refuses is marked as early. */
export function readingEarly<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof HttpFailure) cause.early = true;
    throw cause;
  }
}

/** The answer breaks off on purpose. */
export class Cut extends Error {
  readonly how: CutKind;

  constructor(how: CutKind) {
    super('The stand-in cut this answer.');
    this.name = 'Cut';
    this.how = how;
  }
}

/** The client is gone: nobody reads what would follow. */
export class ClientLeft extends Error {
  constructor() {
    super('The client left.');
    this.name = 'ClientLeft';
  }
}
