/**
 * A server for the two wires that the stand-in does not speak: AG-UI (TanStack's) and our kit's. It plays the same steps
 * in the same way as the stand-in, so every contender meets the same faults.
 */
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const sse = (record) => `data: ${JSON.stringify(record)}\n\n`;
const kitEvent = (framed) => (record, seq) => framed({ ...record, seq });
const kit = (framed, comment, contentType) => ({
  contentType,
  heartbeat: comment,
  head: [{ type: 'start', id: 'run-1', model: 'stand-in', upstreamModel: 'stand-in', resumable: false }],
  text: (text) => ({ type: 'text-delta', text }),
  tail: [
    { type: 'usage', inputTokens: 1, outputTokens: 1, source: 'upstream' },
    { type: 'done', finishReason: 'stop', timings: {} },
  ],
  failure: (message) => [
    { type: 'error', code: 'runner_crashed', message, status: 502, retryable: true, requestId: 'r' },
  ],
  write: kitEvent(framed),
  problem: (status, detail) => ({
    type: 'application/problem+json',
    body: JSON.stringify({
      type: 'about:blank',
      title: detail,
      status,
      detail,
      code: { 404: 'model_not_found', 429: 'rate_limited', 503: 'server_busy' }[status],
      retryable: status !== 404,
    }),
  }),
});

const codecs = {
  agui: {
    contentType: 'text/event-stream',
    heartbeat: ': ping\n\n',
    head: [
      { type: 'RUN_STARTED', runId: 'r', threadId: 't', timestamp: 1 },
      { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant', timestamp: 1 },
    ],
    text: (delta) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta, timestamp: 1 }),
    tail: [
      { type: 'TEXT_MESSAGE_END', messageId: 'm', timestamp: 1 },
      { type: 'RUN_FINISHED', runId: 'r', threadId: 't', timestamp: 1 },
    ],
    failure: (message) => [{ type: 'RUN_ERROR', message, timestamp: 1 }],
    write: sse,
    problem: (_, error) => ({ type: 'application/json', body: JSON.stringify({ error }) }),
  },
  kit: kit((record) => `${JSON.stringify(record)}\n`, '\n', 'application/x-ndjson'),
  'kit-sse': kit((record) => `id: ${record.seq}\n${sse(record)}`, ': ping\n\n', 'text/event-stream'),
};

/** @param {'agui' | 'kit' | 'kit-sse'} wire */
export async function startRecords(wire) {
  const codec = codecs[wire];
  const scripts = [];
  const report = { requests: 0, left: [], open: 0 };
  let resets = 0;
  const server = createServer(async (incoming, response) => {
    report.requests++;
    report.open++;
    const state = { gone: false, seq: 0, headed: false };
    response.on('close', () => {
      report.open--;
      state.gone = true;
      if (!response.writableFinished) report.left.push(performance.timeOrigin + performance.now());
    });
    let asked = '';
    for await (const piece of incoming) asked += piece;
    const steps = asked.includes('not-there')
      ? [{ kind: 'error', status: 404, message: 'model not found', headers: {} }]
      : next(scripts);
    await play(codec, steps, response, state).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    if (resets > 0) {
      resets--;
      socket.resetAndDestroy();
    }
  });
  const listen = (port) => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}`,
    script(steps, times = 1) {
      const [{ kind, ms }] = steps;
      if (kind !== 'connection') return void scripts.push({ steps, times });
      // The port is closed for a while.
      server.close();
      server.closeAllConnections();
      setTimeout(() => void listen(port), ms);
    },
    report: () => ({ requests: report.requests, left: report.left, open: report.open }),
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** The steps for the next request. */
function next(scripts) {
  const [first] = scripts;
  if (first === undefined) return [{ kind: 'say', text: 'Again.' }];
  first.times--;
  if (first.times <= 0) scripts.shift();
  return first.steps;
}

async function play(codec, steps, response, state) {
  const shape = steps.find(({ kind }) => kind === 'shape')?.shape ?? {};
  const send = async (text) => {
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': codec.contentType });
      response.flushHeaders();
    }
    const bytes = Buffer.from(text);
    const size = shape.sliceBytes ?? bytes.length;
    for (let at = 0; at < bytes.length && !state.gone; at += size) {
      if (!response.write(bytes.subarray(at, at + size))) {
        await new Promise((resolve) => {
          const go = () => {
            response.off('drain', go).off('close', go);
            resolve();
          };
          response.on('drain', go).on('close', go);
        });
      } else if (size < bytes.length) await new Promise(setImmediate);
    }
  };
  const record = (one) => codec.write(one, state.seq++);
  const head = async () => {
    if (state.headed) return;
    state.headed = true;
    for (const one of codec.head) await send(record(one));
  };
  let pace = 0;
  for (const step of steps) {
    if (state.gone) return;
    switch (step.kind) {
      case 'say':
        await head();
        await send(record(codec.text(step.text)));
        break;
      case 'huge':
        await head();
        await send(record(codec.text('x'.repeat(step.characters))));
        break;
      case 'slow':
        pace = 1000 / step.tokensPerSecond;
        break;
      case 'endless':
        await head();
        while (!state.gone) {
          await send(record(codec.text(step.text)));
          if (pace > 0) await wait(pace);
        }
        return;
      case 'heartbeats':
        for (let beat = 0; beat < step.times; beat++) {
          await wait(step.everyMs);
          await send(codec.heartbeat);
        }
        break;
      case 'frame':
        await send(codec.contentType.includes('event') ? `data: ${step.other}\n\n` : `${step.other}\n`);
        break;
      case 'torn': {
        const whole = record(codec.text(step.text));
        await send(whole.slice(0, whole.indexOf(step.text) + step.text.length - 1));
        break;
      }
      case 'error':
        if (response.headersSent) {
          for (const one of codec.failure(step.message)) await send(record(one));
          response.end();
        } else if (step.inStream) {
          await head();
          for (const one of codec.failure(step.message)) await send(record(one));
          response.end();
        } else {
          const { type, body } = codec.problem(step.status, step.message);
          response.writeHead(step.status, { 'content-type': type, ...step.headers }).end(body);
        }
        return;
      case 'replay': {
        const { status = 200, headers = {}, body } = step.answer;
        response.writeHead(status, { 'content-type': codec.contentType, ...headers });
        response.end(body);
        return;
      }
      case 'stall':
        if (step.ms !== undefined) await wait(step.ms);
        else return;
        break;
      case 'cut':
        if (step.how === 'reset') response.socket.resetAndDestroy();
        else if (step.how === 'close') response.destroy();
        else response.end();
        return;
      default:
    }
  }
  for (const one of codec.tail) await send(record(one));
  response.end();
}
