import type { StreamEvent } from '@ziggie/llm-protocol';
import type { FakeOllamaOptions, FakeServer } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { afterEach } from 'vitest';
import type { ServerKitOptions, UpstreamOptions } from '../../src/index.ts';
import { type Bench, eventsIn, hello, startBench } from '../harness.ts';

const servers: FakeServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Closes a server after the test. */
export function closeLater<T extends { close(): Promise<void> }>(server: T): T {
  servers.push(server as unknown as FakeServer);
  return server;
}

export interface Fleet extends Bench {
  /** The stand-ins, called `gpu-0`, `gpu-1` and so on. */
  gpus: FakeServer[];
}

const endless = Number.POSITIVE_INFINITY;

/** A kit in front of several stand-ins, which it knows already. */
export async function startFleet(
  count: number,
  {
    options = {},
    ollama = {},
    more = [],
    upstream = {},
  }: {
    options?: Partial<ServerKitOptions>;
    ollama?: FakeOllamaOptions;
    /** Further upstreams behind the stand-ins. */
    more?: UpstreamOptions[];
    /** Settings of every stand-in. */
    upstream?: Partial<UpstreamOptions>;
  } = {},
): Promise<Fleet> {
  const gpus: FakeServer[] = [];
  for (let at = 0; at < count; at++) {
    gpus.push(closeLater(await startFakeOllama({ tokensPerSecond: endless, slotsPerModel: 64, ...ollama })));
  }
  const upstreams = gpus.map(({ url }, at) => ({ url, name: `gpu-${at}`, slots: 64, ...upstream }));
  const bench = await startBench({
    limits: { requestsPerMinute: endless, requestsPerMinutePerAddress: endless, maxInFlight: endless },
    upstreams: [...upstreams, ...more],
    ...options,
  });
  await bench.answer('/models');
  return { ...bench, gpus };
}

/** Somebody's chat, to its end: its events, or the problem it was refused with. */
export async function chatAs(
  fleet: Bench,
  who: string,
  body: Record<string, unknown> = {},
): Promise<StreamEvent[]> {
  const response = await fleet.chat({ ...hello, ...body }, { token: await fleet.token({ sub: who }) });
  if (response.headers.get('content-type')?.includes('ndjson')) return eventsIn(response);
  const problem = (await response.json()) as { code: string; status: number };
  return [{ type: 'error', ...problem, seq: 0 } as unknown as StreamEvent];
}

/** Whether an answer is whole. */
export function isWhole(events: readonly StreamEvent[]): boolean {
  return events.at(-1)?.type === 'done';
}

/** Whether an answer failed before anything of it was passed on. */
export function failedEarly(events: readonly StreamEvent[]): boolean {
  return !isWhole(events) && !events.some(({ type }) => type.endsWith('-delta'));
}

export interface ShownUpstream {
  id: string;
  drained: boolean;
  breaker: string;
  retryAt: string | null;
  inFlight: number;
  attempts: number;
  faults: number;
  lastFault: { code: string } | null;
  models: { name: string; memory: string; slots: number | null; inFlight: number }[];
}

/** What administrators see. */
export async function shown(fleet: Bench): Promise<ShownUpstream[]> {
  const response = await fleet.answer('/admin/upstreams', { token: await fleet.token({ roles: ['admin'] }) });
  return ((await response.json()) as { upstreams: ShownUpstream[] }).upstreams;
}

/** An administrator's verb on an upstream. */
export async function administer(fleet: Bench, verb: string, id: string): Promise<Response> {
  return fleet.answer(`/admin/upstreams/${verb}`, {
    token: await fleet.token({ roles: ['admin'] }),
    body: { id },
  });
}
