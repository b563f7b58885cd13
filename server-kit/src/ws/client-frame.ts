import { type ClientFrame, ProtocolError, parseJson } from '@ziggie/llm-protocol';

/** A frame of the seed's: a prompt without an id, answered in Ollama's own records. */
export interface BareFrame {
  type: 'bare';
  request: Record<string, unknown>;
}

/** A frame that is not one of ours; with the id that it names, if it can be read. */
export interface BadFrame {
  type: 'bad';
  id: string | undefined;
  /** What is wrong, for the client. Nothing of the frame stands in it. */
  problem: string;
}

const idForm = /^[A-Za-z0-9_-]{1,64}$/;
/** More credit than any stream has events. */
const maxCredit = 1_000_000;

/** Reads a text frame. Never throws. */
export function readClientFrame(text: string): ClientFrame | BareFrame | BadFrame {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    return bad(undefined, 'The frame is not JSON, or it nests deeper than 64 levels.');
  }
  if (!isRecord(value)) return bad(undefined, 'The frame is not a JSON object.');
  const { type } = value;
  if (type === 'ping') return { type };
  if (type === 'auth') {
    const { token } = value;
    return typeof token === 'string' ? { type, token } : bad(undefined, 'token: must be a string.');
  }
  if (type === undefined && typeof value['prompt'] === 'string') return { type: 'bare', request: value };
  const { id } = value;
  if (typeof id !== 'string' || !idForm.test(id)) {
    return bad(undefined, 'id: must be 1 to 64 of A-Z a-z 0-9 _ -.');
  }
  return requestFrame(value, type, id);
}

function requestFrame(value: Record<string, unknown>, type: unknown, id: string): ClientFrame | BadFrame {
  if (type === 'cancel') return { type, id };
  if (type !== 'chat' && type !== 'generate' && type !== 'resume' && type !== 'credit') {
    return bad(id, 'type: must be chat, generate, resume, credit, cancel, auth or ping.');
  }
  const { credit } = value;
  if (!Number.isSafeInteger(credit) || (credit as number) < 1 || (credit as number) > maxCredit) {
    return bad(id, `credit: must be a whole number from 1 to ${maxCredit}.`);
  }
  const granted = credit as number;
  if (type === 'credit') return { type, id, credit: granted };
  if (type === 'resume') {
    const { streamId, after } = value;
    if (typeof streamId !== 'string' || !Number.isSafeInteger(after)) {
      return bad(id, 'streamId: must be a string, and after a whole number.');
    }
    return { type, id, streamId, after: after as number, credit: granted };
  }
  const { request } = value;
  if (!isRecord(request)) return bad(id, 'request: must be the JSON object that the body would have been.');
  return { type, id, request, credit: granted };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(id: string | undefined, problem: string): BadFrame {
  return { type: 'bad', id, problem };
}
