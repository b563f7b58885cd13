/**
 * A process of one contender: does what it is told (`read`, `leave`, `abort`, `two`, `slow`, `cpu`) against a URL and says
 * what was seen. It judges nothing.
 */
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as wait } from 'node:timers/promises';
import { answer } from '../wires.mjs';
import { clients, ToldAsEvent } from './clients.mjs';

const platformFetch = globalThis.fetch;

let logged = [];
let unhandled = 0;
process.on('unhandledRejection', () => unhandled++);
process.on('uncaughtException', () => unhandled++);
for (const level of ['log', 'info', 'warn', 'error', 'debug']) {
  console[level] = () => logged.push(level);
}

/** Bytes that this process has read from its sockets. */
const sockets = new Set();
subscribe('net.client.socket', ({ socket }) => sockets.add(socket));
const bytesRead = () => [...sockets].reduce((sum, socket) => sum + (socket.bytesRead ?? 0), 0);

function described(error) {
  if (!(error instanceof Error)) return { name: typeof error, text: String(error), raw: true };
  const { constructor: kind, name, message } = error;
  const status =
    error.status ??
    error.statusCode ??
    error.status_code ??
    error.response?.status ??
    error.lastError?.statusCode;
  return {
    name: error instanceof ToldAsEvent ? name : kind.name + (name === kind.name ? '' : ` (${name})`),
    // A class of the language or the platform says nothing about whose failure it is.
    raw: globalThis[kind.name] === kind,
    isAbort: /abort/i.test(`${kind.name} ${name} ${error.code ?? ''}`),
    text: String(message).slice(0, 120),
    ...(typeof error.code === 'string' ? { code: error.code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
  };
}

/** Reads to the end. */
async function read(question, seen = () => {}) {
  let text = '';
  try {
    for await (const piece of question.text) {
      text += piece;
      seen(piece);
    }
    return { text };
  } catch (error) {
    return { text, error: described(error) };
  }
}

const acts = {
  read: (ask, { model }) => read(ask(model)),

  /** Leaves the loop after two pieces. */
  async leave(ask, { model }) {
    let pieces = 0;
    const at = () => performance.timeOrigin + performance.now();
    let leftAt = 0;
    try {
      for await (const piece of ask(model).text) {
        if (piece !== '' && ++pieces === 2) {
          leftAt = at();
          break;
        }
      }
    } catch (error) {
      return { error: described(error), leftAt };
    }
    return { text: '', leftAt };
  },

  /** Aborts while nothing comes. */
  async abort(ask, { model }) {
    const question = ask(model);
    let abortedAt = 0;
    const outcome = read(question);
    await wait(700);
    abortedAt = performance.now();
    const leftAt = performance.timeOrigin + abortedAt;
    try {
      question.abort();
    } catch (error) {
      return { error: described(error), leftAt };
    }
    const ended = await Promise.race([outcome, wait(3_000, { hangs: true })]);
    return { ...ended, leftAt, afterMs: performance.now() - abortedAt };
  },

  /** Two answers of one client; the first is aborted. */
  async two(ask, { model }) {
    const [first, second] = [ask(model), ask(model)];
    const outcomes = [read(first), read(second)];
    await wait(600);
    first.abort();
    const [one, other] = await Promise.all(outcomes);
    return { ...other, firstText: one.text };
  },

  /** Takes two pieces and then none for two seconds. */
  async slow(ask, { model }) {
    const iterator = ask(model).text[Symbol.asyncIterator]();
    let taken = 0;
    for (let pieces = 0; pieces < 2; ) {
      const { value, done } = await iterator.next();
      if (done) return { text: '', error: { name: 'ended', raw: true } };
      if (value === '') continue;
      taken += value.length;
      pieces++;
    }
    await wait(2_000);
    const readBytes = bytesRead();
    void iterator.return?.().catch(() => {});
    return { readBytes, taken };
  },

  /**
   * CPU of the thread for one answer that arrives in pieces of `size`: the best of up to ten, as many as fit into 8 s. The
   * bytes are the server's, the pieces are made here: a socket that is read merges small ones.
   */
  async cpu(_ask, { model, recordings, sliceBytes }, { open }) {
    const best = {};
    for (const [name, { raw, headers }] of Object.entries(recordings)) {
      const bytes = new TextEncoder().encode(raw);
      globalThis.fetch = async () => answer(bytes, sliceBytes, headers['content-type']);
      const ask = open('http://bench.test', globalThis.fetch);
      const startedAt = performance.now();
      for (let round = 0; round < 10; round++) {
        globalThis.gc?.();
        const before = process.threadCpuUsage();
        const { text, error } = await read(ask(model));
        const { user, system } = process.threadCpuUsage(before);
        if (error) return { error };
        best[name] = Math.min(best[name] ?? Infinity, (user + system) / 1000);
        best[`${name}Length`] = text.length;
        if (performance.now() - startedAt > 8_000) break;
      }
    }
    globalThis.fetch = platformFetch;
    return best;
  },
};

process.on('message', async ({ client, act, url, ...more }) => {
  logged = [];
  unhandled = 0;
  sockets.clear();
  const startedAt = performance.now();
  const chosen = clients[client];
  let outcome;
  try {
    outcome = await acts[act](chosen.open(url ?? 'http://bench.test'), more, chosen);
  } catch (error) {
    outcome = { error: described(error) };
  }
  const ms = performance.now() - startedAt;
  // Rejections of promises that nobody looked at come a moment later.
  await wait(20);
  process.send({ ...outcome, ms, logged, unhandled });
});
process.send('ready');
