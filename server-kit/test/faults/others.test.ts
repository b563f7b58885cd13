import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { problemIn, startBench } from '../harness.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** The kit's answer to a chat when its only upstream is at this address, and what its log says. */
async function askBehind(url: string) {
  const bench = await startBench({ upstreams: [{ url, slots: 4 }] });
  const response = await bench.chat();
  return { problem: await problemIn(response), text: JSON.stringify(bench.logs) };
}

test('F008: a name that does not resolve is upstream_unreachable, and the name is told to nobody who asks', async () => {
  const { problem } = await askBehind('http://model-server.invalid:11434');
  expect(problem).toMatchObject({ status: 502, code: 'upstream_unreachable', retryable: true });
  expect(JSON.stringify(problem)).not.toContain('model-server');
});

test.skipIf(!hasOpenssl)(
  'F011: a certificate that nobody vouches for is refused: never a request without verification',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ziggie-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const args = 'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost'.split(' ');
    expect(spawnSync('openssl', [...args, '-keyout', key, '-out', cert]).status).toBe(0);
    let requests = 0;
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_req, res) => {
      requests++;
      res.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const { problem } = await askBehind(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(problem.status).toBe(502);
    expect(['upstream_unreachable', 'upstream_error']).toContain(problem.code);
    expect(requests).toBe(0);
  },
);
