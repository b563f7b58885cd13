import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createClient } from '@ziggie/llm-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FleetView } from '../src/fleet.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

let program: ChildProcess;
let ended: Promise<unknown>;
let page = '';
let kitUrls: string[] = [];
let output = '';

beforeAll(async () => {
  // The one command of the README, with any free port for its page. A group of its own, as a terminal makes one.
  program = spawn('npm', ['start'], {
    cwd: folder,
    env: { ...process.env, PORT: '0', TRAFFIC: 'off' },
    detached: true,
  });
  ended = once(program, 'exit');
  const take = (data: Buffer) => {
    output += data.toString();
  };
  program.stdout?.on('data', take);
  program.stderr?.on('data', take);
  await vi.waitFor(() => expect(output).toContain('Ctrl-C stops everything'), { timeout: 60_000 });
  page = /➜ {2}(http:\/\/localhost:\d+)/.exec(output)?.[1] ?? '';
  kitUrls = output.match(/http:\/\/127\.0\.0\.1:\d+\/api\/llm/g) ?? [];
});

afterAll(() => {
  if (program.exitCode === null && program.signalCode === null)
    process.kill(-(program.pid as number), 'SIGKILL');
});

const act = (path: string, origin = page) =>
  fetch(`${page}/do/${path}`, { method: 'POST', headers: { origin } });

/** What the page is told now. */
async function view(): Promise<FleetView> {
  const leaving = new AbortController();
  const response = await fetch(`${page}/live`, { signal: leaving.signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes('\n\n')) break;
  }
  leaving.abort();
  return JSON.parse(text.slice('data: '.length, text.indexOf('\n\n'))) as FleetView;
}

const isOpen = (url: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(true));
    socket.on('connect', () => socket.destroy());
    socket.on('error', () => resolve(false));
  });

test('a chat goes through each kit, with a token of the fleet', async () => {
  const response = await act('token/somebody');
  const { token } = (await response.json()) as { token: string };
  expect(kitUrls).toHaveLength(2);
  for (const baseUrl of kitUrls) {
    const client = createClient({ baseUrl, credentials: token });
    const request = { model: 'small', messages: [{ role: 'user' as const, content: 'Hello' }] };
    const { text } = await client.chat({ ...request, options: { num_predict: 8 } }).final();
    expect(text.length).toBeGreaterThan(8);
  }
});

test('a server dies under load and comes back: nobody without a first token hears of it', async () => {
  await act('traffic/on');
  await expect.poll(async () => (await view()).traffic.whole).toBeGreaterThan(10);
  const { programs } = await view();
  expect(programs.filter(({ state }) => state !== 'up')).toEqual([]);

  expect((await act('kill/gpu-2')).status).toBe(204);
  const asked = (await view()).traffic.asked;
  await expect.poll(async () => (await view()).traffic.asked).toBeGreaterThan(asked + 18);
  const after = await view();
  expect(after.programs.find(({ name }) => name === 'gpu-2')?.state).toBe('killed');
  expect(after.kits.every((kit) => kit.view?.upstreams.some(({ breaker }) => breaker !== 'closed'))).toBe(
    true,
  );
  expect(after.traffic.failedBeforeFirstToken).toBe(0);

  expect((await act('revive/gpu-2')).status).toBe(204);
  await expect.poll(async () => (await view()).programs.filter(({ state }) => state !== 'up')).toEqual([]);
  expect((await view()).traffic.failedBeforeFirstToken).toBe(0);
});

test('the page is strict, and its buttons are for itself only', async () => {
  const response = await fetch(page);
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
  expect(await response.text()).not.toMatch(/<style|style=|\son\w+=|https?:/);
  expect((await act('kill/gpu-1', 'http://evil.example')).status).toBe(403);
  expect((await act('kill/nobody')).status).toBe(404);
  expect((await fetch(`${page}/../src/main.ts`)).status).toBe(404);
});

test('one Ctrl-C ends all of it: every port is free again', async () => {
  const { kits } = await view();
  const gpus = kits[0]?.view?.upstreams.map(({ url }) => url) ?? [];
  expect(gpus).toHaveLength(3);
  const urls = [page, ...kitUrls, ...gpus];
  process.kill(-(program.pid as number), 'SIGINT');
  await ended;
  await expect.poll(async () => (await Promise.all(urls.map(isOpen))).includes(true)).toBe(false);
});
