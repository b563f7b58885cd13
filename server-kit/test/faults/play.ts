import type { StreamEvent } from '@ziggie/llm-protocol';
import { createManualClock, fault } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { expect, onTestFinished, vi } from 'vitest';
import type { Clock, KitGauges, ServerKitOptions } from '../../src/index.ts';
import { audience, issuer, secret, signed } from '../harness.ts';
import { type Door, startGateway } from './gateway.ts';

/** How a faulty upstream showed to who asked the kit. */
export interface Outcome {
  status: number;
  /** Code of the problem or of the last event; absent for a whole answer. */
  code: string | undefined;
  /** Text that was passed on. */
  shown: string;
  /** Last events of the stream, of the kinds that end one. */
  ends: string[];
  /** The whole answer's bytes. */
  body: string;
  /** Lines of the log about the request. */
  logged: Record<string, unknown>[];
  /** Requests that the stand-in saw. */
  requests: number;
  /** What the stand-in still works on. */
  left: number;
  gauges: KitGauges;
  rejections: unknown[];
}

export const nothing: KitGauges = { activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 };

/** Real time without a sign of life after which the clock that kit and stand-in share begins to run. */
const quietMs = 40;

/** Plays a fault to a kit behind a door, for one chat that is streamed. */
export async function play(
  door: Door,
  id: string,
  variant: string,
  timeouts: ServerKitOptions['timeouts'] = {},
): Promise<Outcome> {
  const manual = createManualClock();
  const clock: Clock = {
    now: () => manual.now(),
    wallNow: () => Date.UTC(2030, 0, 1) + manual.now(),
    setTimer: (callback, delayMs) => manual.setTimer(callback, delayMs),
  };
  const ollama = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY, clock: manual });
  const logged: Record<string, unknown>[] = [];
  const keep = (fields: Record<string, unknown>) => void logged.push(fields);
  const gateway = await startGateway(door, {
    upstreams: [{ url: ollama.url, slots: 4 }],
    auth: { jwt: { secret, issuer, audience } },
    logger: { info: keep, warn: keep, error: keep },
    timeouts,
    clock,
  });
  const rejections: unknown[] = [];
  const hear = (reason: unknown) => void rejections.push(reason);
  process.on('unhandledRejection', hear);
  onTestFinished(async () => {
    process.off('unhandledRejection', hear);
    await gateway.close();
    await ollama.close();
  });
  const headers = {
    authorization: `Bearer ${await signed(clock, { exp: Date.UTC(2031, 0, 1) / 1000 })}`,
    'content-type': 'application/json',
  };
  const ask = () =>
    fetch(`${gateway.url}/chat`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'stand-in', messages: [{ role: 'user', content: 'What is it?' }] }),
    });
  // The model is in memory and known to be: what goes wrong is the answer.
  // Two at once leave a connection for the chat beside the one that a look at the memory may take.
  await Promise.all([ask(), ask()].map(async (asked) => (await asked).text()));
  await vi.waitFor(() => expect(logged).toHaveLength(2));
  logged.length = 0;
  const before = ollama.fake.report().requests.length;
  ollama.fake.script(fault(id, variant), { times: Number.POSITIVE_INFINITY });

  let body = '';
  let status = 0;
  let movedAt = performance.now();
  let isOver = false;
  const reading = (async () => {
    const response = await ask();
    status = response.status;
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) {
      movedAt = performance.now();
      body += decoder.decode(piece, { stream: true });
    }
  })().finally(() => {
    isOver = true;
  });
  reading.catch(() => {});
  for (let stepMs = 1, runs = false; !isOver; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    runs ||= performance.now() - movedAt > quietMs;
    if (!runs) continue;
    await manual.advance(stepMs);
    stepMs = Math.min(stepMs * 2, 4000);
  }
  await reading;
  const report = () => ollama.fake.report();
  const settled = () => {
    expect(gateway.kit.gauges()).toEqual(nothing);
    expect(report().openGenerations + report().waiting).toBe(0);
  };
  // What is not over within a second is told by the outcome.
  await vi.waitFor(settled, { timeout: 1000, interval: 2 }).catch(() => {});
  return {
    ...read(status, body),
    logged,
    requests: report()
      .requests.slice(before)
      .filter(({ path }) => path === '/api/chat').length,
    left: report().openGenerations + report().waiting,
    gauges: gateway.kit.gauges(),
    rejections,
  };
}

function read(status: number, body: string): Pick<Outcome, 'status' | 'code' | 'shown' | 'ends' | 'body'> {
  if (status !== 200) {
    const problem = JSON.parse(body) as { code: string };
    return { status, code: problem.code, shown: '', ends: ['problem'], body };
  }
  const events = body
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as StreamEvent);
  const texts = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []));
  const last = events.at(-1);
  return {
    status,
    code: last?.type === 'error' ? last.code : undefined,
    shown: texts.join(''),
    ends: events.flatMap(({ type }) => (type === 'done' || type === 'error' ? [type] : [])),
    body,
  };
}
