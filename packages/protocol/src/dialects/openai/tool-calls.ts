import type { ToolCall } from '../../chat.ts';
import { parseJson } from '../../json/parse-json.ts';
import { ProtocolError } from '../../protocol-error.ts';
import type { OpenAiToolCallDelta } from './wire.ts';

/** More calls in one answer, or a higher index, is an attack or a fault. */
const MAX_CALLS = 1024;

interface Building {
  index: number | undefined;
  id: string;
  name: string;
  text: string;
  /** Arguments that came as an object, as some servers send them. */
  whole: Record<string, unknown> | undefined;
}

/**
 * Puts tool calls together that arrive in fragments.
 *
 * Fragments of one call share an index, but servers differ: some number every call 0 and tell them apart by id only, some
 * give no index, some send the id after the name, some no id at all. So: the same id is the same call; another id, or
 * another name on a call that has one, is another call; anything else continues the last call of its index.
 */
export class ToolCallAssembly {
  readonly #calls: Building[] = [];

  get count(): number {
    return this.#calls.length;
  }

  /** @throws {ProtocolError} `malformed_record` when the index is out of bounds or there are too many calls. */
  add(delta: OpenAiToolCallDelta | null): void {
    if (typeof delta !== 'object' || delta === null) return;
    const index = indexOf(delta.index);
    const id = text(delta.id);
    const name = text(delta.function?.name);
    const given = delta.function?.arguments;
    const call = this.#find(index, id, name, given) ?? this.#begin(index);
    if (id !== '') call.id = id;
    if (name !== '') call.name = name;
    if (typeof given === 'string') call.text += given;
    else if (isObject(given)) call.whole = given;
  }

  /**
   * The calls in the order they began, whole.
   *
   * @param cutOff The answer reached its length limit: a call that was being written then is left out, not refused.
   * @returns `undefined` when arguments are not a JSON object or belong to no tool: nothing may be run then.
   */
  finish(cutOff: boolean): ToolCall[] | undefined {
    const calls: ToolCall[] = [];
    for (const [at, { id, name, text: written, whole }] of this.#calls.entries()) {
      // Arguments for nobody: the name was lost, or the model wrote none.
      if (name === '' && (whole || written !== '') && !cutOff) return undefined;
      if (name === '') continue;
      const args = whole ?? parseArguments(written);
      if (args) calls.push({ id: id === '' ? `call_${at}` : id, name, arguments: args });
      else if (!cutOff) return undefined;
    }
    return calls;
  }

  #find(index: number | undefined, id: string, name: string, given: unknown): Building | undefined {
    if (id !== '') {
      const same = this.#calls.findLast((call) => call.id === id);
      if (same) return same;
    }
    const last = this.#calls.findLast((call) => index === undefined || call.index === index);
    if (!last || (id !== '' && last.id !== '')) return undefined;
    if (name === '' || last.name === '') return last;
    if (name !== last.name) return undefined;
    // The name again: either this server repeats it with every fragment, or the same tool is called once more.
    return startsAnew(given) && (last.whole || parseArguments(last.text)) ? undefined : last;
  }

  #begin(index: number | undefined): Building {
    if (this.#calls.length >= MAX_CALLS) throw outOfBounds(`there are more than ${MAX_CALLS}`);
    const call: Building = { index, id: '', name: '', text: '', whole: undefined };
    this.#calls.push(call);
    return call;
  }
}

function indexOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MAX_CALLS) {
    throw outOfBounds(`an index is not between 0 and ${MAX_CALLS}`);
  }
  return value as number;
}

function startsAnew(given: unknown): boolean {
  return isObject(given) || (typeof given === 'string' && given.trimStart().startsWith('{'));
}

function parseArguments(written: string): Record<string, unknown> | undefined {
  if (written.trim() === '') return {};
  try {
    const parsed = parseJson(written);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function outOfBounds(found: string): ProtocolError {
  return new ProtocolError('malformed_record', `Reading tool calls: ${found}.`);
}
