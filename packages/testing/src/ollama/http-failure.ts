/** A request that is answered with an error status and `{"error": message}`. */
export class HttpFailure extends Error {
  readonly status: number;
  /** Whether Ollama sends it from a streaming handler, whose content type lacks the charset. */
  readonly fromRunner: boolean;
  /** Replaces the JSON body. */
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: {
      fromRunner?: boolean | undefined;
      body?: string | undefined;
      headers?: Record<string, string> | undefined;
    } = {},
  ) {
    super(message);
    this.name = 'HttpFailure';
    this.status = status;
    this.fromRunner = more.fromRunner ?? false;
    this.body = more.body;
    this.headers = more.headers ?? {};
  }
}

/** The answer breaks off on purpose. */
export class Cut extends Error {
  readonly how: 'end' | 'reset';

  constructor(how: 'end' | 'reset') {
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
