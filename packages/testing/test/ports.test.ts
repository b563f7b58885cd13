import { expect, onTestFinished, test } from 'vitest';
import { connection, createManualClock } from '../src/index.ts';
import { startFakeOllama } from '../src/node.ts';

async function started(options = {}) {
  const server = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY, ...options });
  onTestFinished(() => server.close());
  return server;
}

const isOpen = (url: string): Promise<boolean> =>
  fetch(`${url}/api/version`).then(
    ({ ok }) => ok,
    () => false,
  );

// The system gives out ports by lot: of so many some come twice.
test('no stand-in gets the port of one that was closed, to which pools may still hold connections', async () => {
  const ports: number[] = [];
  for (let count = 0; count < 600; count++) {
    const server = await startFakeOllama();
    ports.push(server.port);
    await server.close();
  }
  expect(new Set(ports).size).toBe(ports.length);
});

test("reset() after an endless connection('refuse') opens the port again", async () => {
  const { fake, url } = await started();
  fake.script(connection('refuse'), { times: Infinity });
  expect(await isOpen(url)).toBe(false);
  fake.reset();
  expect(await isOpen(url)).toBe(true);
});

test("reset() during connection('refuse', ms) opens the port, and the time that is over later changes nothing", async () => {
  const clock = createManualClock();
  const server = await started({ clock });
  server.fake.script(connection('refuse', 1_000));
  expect(await isOpen(server.url)).toBe(false);
  server.fake.reset();
  expect(await isOpen(server.url)).toBe(true);
  await server.down();
  await clock.advance(2_000);
  expect(await isOpen(server.url)).toBe(false);
});

test('reset() leaves closed what down() closed', async () => {
  const server = await started();
  server.fake.script(connection('refuse'), { times: Infinity });
  await server.down();
  server.fake.reset();
  expect(await isOpen(server.url)).toBe(false);
  await server.up();
  expect(await isOpen(server.url)).toBe(true);
});
