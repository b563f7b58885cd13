import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

/** These two need what a worker of a page does not bring: an optional peer. */
const withPeers = ['otel', 'ollama'];

it('every entry loads in a worker, and a conversation streams and is kept there', async () => {
  const worker = new Worker(new URL('./all-entries.worker.ts', import.meta.url), { type: 'module' });
  const said = await new Promise<{ text?: string; names?: string[]; error?: string; hasWindow?: boolean }>(
    (resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    },
  );
  worker.terminate();
  expect(said).toMatchObject({ text: 'Hi from a worker', hasWindow: false });
  const entries = Object.keys(manifest.exports).map((entry) => entry.replace('./', ''));
  expect([...(said.names ?? [])].sort()).toEqual(
    entries.filter((entry) => !withPeers.includes(entry)).sort(),
  );
});
