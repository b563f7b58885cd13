import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServerKit, discoverByDns, discoverByFile, discoverByKubernetes } from '../../src/index.ts';
import { certificate } from '../doors/certificate.ts';
import { DrivenClock } from '../harness.ts';
import { Cluster, slice } from './cluster.ts';
import { Told } from './listener.ts';
import { startNameServer } from './name-server.ts';

let folder: string;
const closers: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ziggie-discovery-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

function told(...args: ConstructorParameters<typeof Told>): Told {
  const one = new Told(...args);
  closers.push(one.stop);
  return one;
}

describe('discoverByFile()', () => {
  const write = (text: string) => writeFileSync(join(folder, 'list.json'), text);
  const source = () => discoverByFile({ path: join(folder, 'list.json'), everyMs: 1000 });
  const later = async (clock: DrivenClock, one: Told, count: () => number) => {
    const before = count();
    await expect
      .poll(async () => {
        await clock.drive(1000);
        return count();
      })
      .toBeGreaterThan(before);
    return one;
  };

  test('reads no more than a list may have, however long the file says that it is', async () => {
    symlinkSync('/dev/zero', join(folder, 'list.json'));
    const one = told(source(), new DrivenClock());
    await expect.poll(() => one.failures).toEqual(['the file is longer than 1 MiB']);
  });

  test('gives what stands there, addresses and whole options, and what stands there later', async () => {
    const clock = new DrivenClock();
    write('["http://gpu-1:11434", {"url": "http://gpu-2:11434", "slots": 4}]');
    const one = told(source(), clock);
    await expect
      .poll(() => one.lists)
      .toEqual([[{ url: 'http://gpu-1:11434' }, { url: 'http://gpu-2:11434', slots: 4 }]]);
    write('["http://gpu-3:11434"]');
    await expect
      .poll(async () => {
        await clock.drive(1000);
        return one.lists.at(-1);
      })
      .toEqual([{ url: 'http://gpu-3:11434' }]);
  });

  test('follows a link that is swapped, as mounted configuration is', async () => {
    const clock = new DrivenClock();
    writeFileSync(join(folder, 'a.json'), '["http://a:1"]');
    writeFileSync(join(folder, 'b.json'), '["http://b:1"]');
    symlinkSync('a.json', join(folder, 'list.json'));
    const one = told(source(), clock);
    await one.untilUrls(['http://a:1']);
    symlinkSync('b.json', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'list.json'));
    await later(clock, one, () => one.lists.length);
    await expect
      .poll(async () => {
        await clock.drive(1000);
        return one.lists.at(-1)?.[0]?.url;
      })
      .toBe('http://b:1');
  });

  test.each([
    ['half written', () => write('["http://gpu-1:114'), 'the file is not JSON'],
    ['no list', () => write('{"url": "http://a:1"}'), 'the file is not a JSON list'],
    ['too long', () => write(`["${'x'.repeat(1024 * 1024)}"]`), 'the file is longer than 1 MiB'],
    ['not there', () => {}, 'ENOENT'],
    ['empty', () => write(''), 'the file is not JSON'],
  ])('that is %s has failed, in words without its path', async (_how, make, reason) => {
    make();
    const one = told(source(), new DrivenClock());
    await expect.poll(() => one.failures).toEqual([reason]);
    expect(one.lists).toEqual([]);
  });

  test('is quiet once it is stopped', async () => {
    const clock = new DrivenClock();
    write('["http://a:1"]');
    const one = told(source(), clock);
    await one.untilUrls(['http://a:1']);
    one.stop();
    unlinkSync(join(folder, 'list.json'));
    await clock.drive(10_000);
    expect([one.lists.length, one.failures.length]).toEqual([1, 0]);
  });
});

describe('discoverByDns(), over a real socket', () => {
  const start = async () => {
    const server = await startNameServer();
    closers.push(server.close);
    const source = (scheme?: 'http' | 'https') =>
      discoverByDns({ name: '_ollama._tcp.gpu.internal', servers: [server.address], everyMs: 1000, scheme });
    return { server, source };
  };

  test('uses the lowest priority, with weights, and follows what changes', async () => {
    const { server, source } = await start();
    const clock = new DrivenClock();
    server.state.records = [
      { target: 'a.gpu.internal', port: 11_434, priority: 1, weight: 60 },
      { target: 'b.gpu.internal', port: 11_435, priority: 1, weight: 30 },
      { target: 'c.gpu.internal', port: 11_434, priority: 1, weight: 0 },
      { target: 'spare.gpu.internal', port: 11_434, priority: 2, weight: 100 },
    ];
    const one = told(source(), clock);
    await one.untilUrls([
      'http://a.gpu.internal:11434',
      'http://b.gpu.internal:11435',
      'http://c.gpu.internal:11434',
    ]);
    const weights = Object.fromEntries(
      (one.lists.at(-1) ?? []).map(({ url, weight }) => [url.slice(7, 8), weight]),
    );
    expect(weights).toEqual({ a: 1, b: 0.5, c: 0.01 });
    expect(server.state.asked).toEqual(['_ollama._tcp.gpu.internal']);
    server.state.records = server.state.records.slice(3);
    await expect
      .poll(async () => {
        await clock.drive(1000);
        return one.lists.at(-1)?.map(({ url }) => url);
      })
      .toEqual(['http://spare.gpu.internal:11434']);
  });

  test('a name that is not there, and a service that is decidedly not there, have failed', async () => {
    const { server, source } = await start();
    server.state.records = undefined;
    const gone = told(source(), new DrivenClock());
    await expect.poll(() => gone.failures).toEqual(['ENOTFOUND']);
    server.state.records = [{ target: '', port: 0 }];
    const none = told(source(), new DrivenClock());
    await expect.poll(() => none.failures).toEqual(['the service has no servers']);
  });

  test('https, and equal weights of 0', async () => {
    const { server, source } = await start();
    server.state.records = [{ target: 'a.gpu.internal', port: 443, weight: 0 }];
    const one = told(source('https'), new DrivenClock());
    await expect.poll(() => one.lists).toEqual([[{ url: 'https://a.gpu.internal:443' }]]);
  });

  test('a name that cannot be one is refused at once', () => {
    for (const name of ['', 'a b', 'http://a', '-a', '../a'])
      expect(() => discoverByDns({ name })).toThrow(TypeError);
  });
});

describe('discoverByKubernetes(), over TLS', () => {
  const start = async () => {
    const cluster = await new Cluster().start(true);
    closers.push(() => cluster.close());
    writeFileSync(join(folder, 'ca.crt'), certificate.cert);
    writeFileSync(join(folder, 'token'), `${cluster.token}\n`);
    const source = (more: object = {}) =>
      discoverByKubernetes({
        namespace: 'ai',
        service: 'ollama',
        port: 'http',
        apiServer: cluster.url,
        tokenFile: join(folder, 'token'),
        caFile: join(folder, 'ca.crt'),
        ...more,
      });
    return { cluster, source };
  };
  const drivenUntil = (clock: DrivenClock, read: () => unknown) =>
    expect.poll(async () => {
      await clock.drive(1000);
      return read();
    });

  test('lists every page, then watches: slices that come, change and go', async () => {
    const { cluster, source } = await start();
    cluster.put(slice('one', ['10.0.0.1', '10.0.0.2']));
    cluster.put(slice('two', ['10.0.0.3']));
    const one = told(source(), new DrivenClock());
    await one.untilUrls(['http://10.0.0.1:11434', 'http://10.0.0.2:11434', 'http://10.0.0.3:11434']);
    expect(one.lists.at(-1)?.map(({ name }) => name)).toEqual(['one-0', 'one-1', 'two-0']);
    expect(cluster.asked.filter((path) => !path.includes('watch')).length).toBe(2);
    await expect.poll(() => cluster.watchers).toBe(1);
    cluster.put(slice('three', ['10.0.0.4']));
    await one.untilUrls([
      'http://10.0.0.1:11434',
      'http://10.0.0.2:11434',
      'http://10.0.0.3:11434',
      'http://10.0.0.4:11434',
    ]);
    cluster.put(slice('one', ['10.0.0.1']));
    cluster.remove('two');
    cluster.bookmark();
    await one.untilUrls(['http://10.0.0.1:11434', 'http://10.0.0.4:11434']);
    expect(one.failures).toEqual([]);
    one.stop();
    await expect.poll(() => cluster.watchers).toBe(0);
  });

  test('endpoints that are not ready or are ending are not there; IPv6, other ports and doubles are understood', async () => {
    const { cluster, source } = await start();
    cluster.put(
      slice('one', [], {
        endpoints: [
          { addresses: ['10.0.0.1'], conditions: { ready: false } },
          { addresses: ['10.0.0.2'], conditions: { ready: true, terminating: true } },
          { addresses: ['10.0.0.3'] },
          { addresses: ['10.0.0.4', '10.0.0.5'], conditions: {}, targetRef: { name: 'Not A Pod' } },
          { addresses: [] },
          null,
        ],
      }),
    );
    cluster.put(slice('six', ['fd00::1'], { addressType: 'IPv6' }));
    cluster.put(slice('names', ['gpu.example'], { addressType: 'FQDN' }));
    cluster.put(slice('double', ['10.0.0.3']));
    cluster.put(slice('elsewhere', ['10.0.0.9'], { ports: [{ name: 'metrics', port: 9090 }] }));
    const one = told(source(), new DrivenClock());
    await one.untilUrls(['http://10.0.0.3:11434', 'http://10.0.0.4:11434', 'http://[fd00::1]:11434']);
    const numbered = told(source({ port: '9090', scheme: 'https' }), new DrivenClock());
    await numbered.untilUrls(['https://10.0.0.9:9090']);
  });

  test.each(['end', 'break'] as const)('a watch that %ss goes on where it was', async (how) => {
    const { cluster, source } = await start();
    const clock = new DrivenClock();
    cluster.put(slice('one', ['10.0.0.1']));
    const one = told(source(), clock);
    await expect.poll(() => cluster.watchers).toBe(1);
    cluster.put(slice('two', ['10.0.0.2']));
    await one.untilUrls(['http://10.0.0.1:11434', 'http://10.0.0.2:11434']);
    cluster.endWatches(how);
    // Happens while nobody watches.
    cluster.put(slice('three', ['10.0.0.3']));
    await drivenUntil(clock, () => one.lists.at(-1)?.length).toBe(3);
    expect(cluster.asked.filter((path) => !path.includes('watch')).length).toBe(1);
    expect(one.failures.length).toBe(how === 'break' ? 1 : 0);
  });

  test('a version that is no longer kept (410) means a new list', async () => {
    const { cluster, source } = await start();
    const clock = new DrivenClock();
    cluster.put(slice('one', ['10.0.0.1']));
    const one = told(source(), clock);
    await expect.poll(() => cluster.watchers).toBe(1);
    cluster.endWatches('end');
    cluster.remove('one');
    cluster.put(slice('two', ['10.0.0.2']));
    cluster.compact();
    await drivenUntil(clock, () => one.lists.at(-1)?.map(({ url }) => url)).toEqual([
      'http://10.0.0.2:11434',
    ]);
    expect(one.failures).toEqual([]);
    await drivenUntil(clock, () => cluster.watchers).toBe(1);
  });

  test('a token that was renewed is read again; until then it has failed, without the token in its words', async () => {
    const { cluster, source } = await start();
    const clock = new DrivenClock();
    cluster.put(slice('one', ['10.0.0.1']));
    cluster.token = 'token-2';
    const one = told(source(), clock);
    await expect.poll(() => one.failures).toEqual(['the API answered 401']);
    writeFileSync(join(folder, 'token'), 'token-2');
    await drivenUntil(clock, () => one.lists.at(-1)?.length).toBe(1);
  });

  test('an API that fails is asked more and more seldom', async () => {
    const { cluster, source } = await start();
    const clock = new DrivenClock();
    cluster.status = 500;
    const one = told(source(), clock);
    await expect.poll(() => one.failures.length).toBe(1);
    for (let second = 0; second < 120; second++) {
      const before = cluster.asked.length;
      await clock.drive(1000);
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (cluster.asked.length > before)
        await expect.poll(() => one.failures.length).toBe(cluster.asked.length);
    }
    expect(cluster.asked.length).toBeLessThanOrEqual(9);
    expect(cluster.asked.length).toBeGreaterThanOrEqual(5);
  });

  test('a watch of which nothing is heard is given up', async () => {
    const { cluster, source } = await start();
    const clock = new DrivenClock();
    cluster.put(slice('one', ['10.0.0.1']));
    told(source(), clock);
    await expect.poll(() => cluster.watchers).toBe(1);
    const before = cluster.asked.length;
    await clock.drive(321_000);
    await drivenUntil(clock, () => cluster.asked.length).toBeGreaterThan(before);
  });

  test('a certificate of somebody else is not believed, and the token not sent', async () => {
    const { cluster, source } = await start();
    writeFileSync(join(folder, 'ca.crt'), '');
    const one = told(source(), new DrivenClock());
    await expect.poll(() => one.failures.length).toBe(1);
    expect(cluster.asked).toEqual([]);
    const missing = told(source({ caFile: join(folder, 'none') }), new DrivenClock());
    await expect.poll(() => missing.failures).toEqual(['ENOENT']);
  });

  test('over http the token stays here', async () => {
    const cluster = await new Cluster().start(false);
    closers.push(() => cluster.close());
    const { source } = await start();
    const one = told(source({ apiServer: cluster.url }), new DrivenClock());
    await expect.poll(() => one.failures).toEqual(['the API answered 401']);
  });

  test('names that cannot be are refused at once', () => {
    const given = { namespace: 'ai', service: 'ollama' };
    for (const wrong of [
      { namespace: 'a/b' },
      { namespace: '' },
      { service: '../x' },
      { port: 'a b' },
      { apiServer: 'ftp://x' },
      { apiServer: 'https://u:p@x' },
    ]) {
      expect(() => discoverByKubernetes({ ...given, ...wrong })).toThrow(TypeError);
    }
  });
});

test('a kit with a file: a machine that is written there answers', async () => {
  const gpu = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
  closers.push(() => gpu.close());
  const path = join(folder, 'list.json');
  writeFileSync(path, JSON.stringify([gpu.url]));
  const kit = createServerKit({
    upstreams: [],
    discovery: { source: discoverByFile({ path }), allow: ['127.0.0.1'] },
    doctor: false,
  });
  closers.push(() => kit.close({ drainMs: 0 }));
  const connection = {
    remoteAddress: '127.0.0.1',
    encrypted: false,
    target: '/health/ready',
    rawHeaders: [],
  };
  await expect
    .poll(async () => (await kit.handle(new Request('http://x/health/ready'), connection))?.status)
    .toBe(200);
});
