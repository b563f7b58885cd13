import type { ZiggieClient } from '@ziggie/llm-client';
import type { Cell } from '@ziggie/llm-client/conversation';
import type {
  DeepPartial,
  InputOf,
  ObjectOptions,
  ObjectRequest,
  ObjectStream,
  OutputOf,
  StandardSchema,
} from '@ziggie/llm-client/tools';

/** What is known of an object that a model writes. */
export interface ObjectState<Schema extends StandardSchema> {
  /** Whole and checked; `null` before it is. The one before stays until the next is whole. */
  readonly object: OutputOf<Schema> | null;
  /** What is known so far, unchecked: any member may be missing. A new one at most once per frame, never changed later. */
  readonly partial: DeepPartial<InputOf<Schema>> | null;
  readonly status: 'idle' | 'running' | 'done' | 'failed' | 'stopped';
  /** Why it failed: mostly a `ZiggieError`, an `OutputError` when no try fitted the schema. */
  readonly error: Error | null;
}

interface Turn<Schema extends StandardSchema> {
  stream?: ObjectStream<OutputOf<Schema>, DeepPartial<InputOf<Schema>>>;
}

/** One object after the other, watched by a component. The newest question counts. */
export class ObjectCell<Schema extends StandardSchema> implements Cell<ObjectState<Schema>> {
  readonly #listeners = new Set<() => void>();
  #state: ObjectState<Schema> = { object: null, partial: null, status: 'idle', error: null };
  #turn: Turn<Schema> | null = null;
  #frame: number | null = null;

  readonly get = (): ObjectState<Schema> => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  };

  /** @returns The object, or `null` when it failed, was stopped, or was asked for anew meanwhile. */
  async submit(
    client: () => ZiggieClient | Promise<ZiggieClient>,
    request: ObjectRequest<Schema>,
    options: ObjectOptions,
  ): Promise<OutputOf<Schema> | null> {
    this.stop();
    const turn: Turn<Schema> = {};
    this.#turn = turn;
    this.#put({ partial: null, status: 'running', error: null });
    try {
      const [{ object }, asked] = await Promise.all([import('@ziggie/llm-client/tools'), client()]).catch(
        (cause: unknown) => {
          throw new Error('Asking for an object: its code could not be fetched.', { cause });
        },
      );
      if (this.#turn !== turn) return null;
      const stream = object(asked, request, options);
      turn.stream = stream;
      for await (const part of stream) this.#show(turn, part);
      const value = await stream.value();
      if (!this.#end(turn)) return null;
      this.#put({ object: value, status: 'done' });
      return value;
    } catch (error) {
      if (!this.#end(turn)) return null;
      // A wrong argument is for whoever wrote the page.
      if (error instanceof TypeError) {
        this.#put({ status: 'failed', error });
        throw error;
      }
      this.#put({ status: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
      return null;
    }
  }

  /** Closes the connection; what is known stays. */
  readonly stop = (): void => {
    const turn = this.#turn;
    if (turn === null || !this.#end(turn)) return;
    turn.stream?.abort();
    this.#put({ status: 'stopped' });
  };

  /** The stream's own object grows; what is shown is a copy, made when it is drawn. */
  #show(turn: object, part: DeepPartial<InputOf<Schema>>): void {
    if (this.#turn !== turn || this.#frame !== null) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = null;
      if (this.#turn === turn) this.#put({ partial: structuredClone(part) });
    });
  }

  #end(turn: object): boolean {
    if (this.#turn !== turn) return false;
    this.#turn = null;
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    return true;
  }

  #put(change: Partial<ObjectState<Schema>>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}
