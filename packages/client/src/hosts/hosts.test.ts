import { error, type FakeServer, say, stall } from '@ziggie/llm-testing';
import { startFakeOllama, startFakeOpenAI } from '@ziggie/llm-testing/node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createManualClock } from '../../test/clock.ts';
import { failureOf, last, piece, question } from '../../test/samples.ts';
import { linesThenSilence, reply, serve, silence, toLines } from '../../test/scripted-server.ts';
import { createAdmin } from '../admin.ts';
import { type ClientOptions, createClient, severalHosts, type ZiggieError } from '../index.ts';

const asked = { ...question, model: 'stand-in' };
const away = error('server busy, please try again.  maximum pending requests exceeded', { status: 503 });

async function twoHosts(
  start: () => Promise<FakeServer> = () => startFakeOllama({ tokensPerSecond: Infinity }),
) {
  const hosts = [await start(), await start()] as [FakeServer, FakeServer];
  for (const [at, host] of hosts.entries()) {
    onTestFinished(() => host.close());
    host.fake.script(say(`from ${at + 1}`), { times: Infinity });
  }
  return hosts;
}

function clientOf(hosts: readonly { url: string }[], more: Partial<ClientOptions> = {}) {
  const [baseUrl = '', ...others] = hosts.map(({ url }) => url);
  return createClient({
    baseUrl,
    transport: severalHosts(others),
    target: 'ollama',
    retry: { baseMs: 0 },
    ...more,
  });
}

/** Chats that a host was asked for. */
const chats = ({ fake }: FakeServer): number =>
  fake.report().requests.filter(({ path }) => /chat/.test(path)).length;

describe('several hosts', () => {
  test('one that cannot be reached hands over to the next, within one try', async () => {
    const hosts = await twoHosts();
    await hosts[0].down();
    const { text, attempts } = await clientOf(hosts).chat(asked).final();
    expect(text).toBe('from 2');
    expect(attempts).toHaveLength(1);
  });

  test('a fetch that ignores its signal cannot hold a request while a host is looked at', async () => {
    const hosts = await twoHosts();
    const clock = createManualClock();
    const silent = `${hosts[0].url}/api/ps`;
    let tell = (): void => {};
    const isAsked = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const fetch: typeof globalThis.fetch = (input, init) => {
      if (String(input) !== silent) return globalThis.fetch(input, init);
      tell();
      return new Promise(() => {});
    };
    const text = clientOf(hosts, { clock, fetch }).chat(asked).text();
    await isAsked;
    await clock.advance(1_000);
    expect(await text).toBe('from 2');
  });

  test('every try names the host that answered, or the last one asked, and no credentials', async () => {
    const hosts = await twoHosts();
    const [first, second] = hosts.map(({ url }) => new URL(url).host);
    const client = clientOf(hosts, { credentials: 'secret-token', retry: { baseMs: 0, maxAttempts: 2 } });
    expect((await client.chat(asked).final()).attempts).toMatchObject([{ status: 200, host: first }]);
    await hosts[0].down();
    expect((await client.chat(asked).final()).attempts).toMatchObject([{ status: 200, host: second }]);
    hosts[1].fake.reset();
    hosts[1].fake.script(away, { times: Infinity });
    const refused = (await failureOf(client.chat(asked).text())) as ZiggieError;
    expect(refused.attempts).toMatchObject([
      { code: 'server_busy', host: second },
      { code: 'server_busy', host: second },
    ]);
    await hosts[1].down();
    const unreachable = (await failureOf(client.models.list())) as ZiggieError;
    expect(unreachable.attempts.map(({ code }) => code)).toEqual(['connect_failed', 'connect_failed']);
    for (const { host } of unreachable.attempts) expect([first, second]).toContain(host);
    expect(JSON.stringify([refused, unreachable])).not.toContain('secret-token');
    const alone = createClient({ baseUrl: hosts[0].url, target: 'ollama', retry: { maxAttempts: 1 } });
    expect(((await failureOf(alone.chat(asked).text())) as ZiggieError).attempts[0]).not.toHaveProperty(
      'host',
    );
  });

  test('so does one that answers 503; when all do, that is told after the usual tries', async () => {
    const [first, second] = await twoHosts();
    first.fake.reset();
    first.fake.script(away, { times: Infinity });
    const client = clientOf([first, second]);
    expect(await client.chat(asked).text()).toBe('from 2');
    expect([chats(first), chats(second)]).toEqual([1, 1]);
    second.fake.reset();
    second.fake.script(away, { times: Infinity });
    expect(await failureOf(client.chat(asked).text())).toMatchObject({ code: 'server_busy', status: 503 });
  });

  test('after five failures in a row a host rests for 10 s, then one request tries it', async () => {
    const clock = createManualClock();
    const [first, second] = await twoHosts(() => startFakeOpenAI({ tokensPerSecond: Infinity }));
    first.fake.reset();
    first.fake.script(away, { times: Infinity });
    second.fake.reset();
    second.fake.script(away, { times: Infinity });
    const client = clientOf([first, second], { target: 'openai', clock, retry: { maxAttempts: 1 } });
    for (let round = 0; round < 5; round++) await failureOf(client.chat(asked).text());
    expect([chats(first), chats(second)]).toEqual([5, 5]);
    const resting = await failureOf(client.chat(asked).text());
    expect(resting).toMatchObject({ code: 'connect_failed', retryable: true, retryAfterMs: 10_000 });
    expect([chats(first), chats(second)]).toEqual([5, 5]);
    await clock.advance(10_000);
    first.fake.reset();
    first.fake.script([say('The'), stall(50), say(' first.')]);
    const probe = client.chat(asked).text();
    await vi.waitFor(() => expect(chats(first)).toBe(1));
    expect(await probe).toBe('The first.');
    first.fake.script(say('Again.'));
    expect(await client.chat(asked).text()).toBe('Again.');
  });

  test('half open, a second request does not go along with the probe', async () => {
    const clock = createManualClock();
    const [first, second] = await twoHosts(() => startFakeOpenAI({ tokensPerSecond: Infinity }));
    await first.down();
    const client = clientOf([first, second], { target: 'openai', clock, retry: { maxAttempts: 1 } });
    // Its failures are forgotten after 10 s for the order, so that it is asked again; five of them open it.
    for (let round = 0; round < 5; round++) {
      await clock.advance(10_000);
      expect(await client.chat(asked).text()).toBe('from 2');
    }
    // So busy that everything would go to the first.
    second.fake.reset();
    second.fake.script([say('…'), stall()], { times: 2 });
    const busy = [client.chat(asked), client.chat(asked)];
    const held = busy.map((stream) => failureOf(stream.text()));
    await vi.waitFor(() => expect(chats(second)).toBe(2));
    second.fake.script(say('from 2'), { times: Infinity });
    await clock.advance(10_000);
    await first.up();
    first.fake.reset();
    first.fake.script([stall(), say('late')]);
    const probe = client.chat(asked);
    const probing = failureOf(probe.text());
    await vi.waitFor(() => expect(chats(first)).toBe(1));
    expect(await client.chat(asked).text()).toBe('from 2');
    expect(chats(first)).toBe(1);
    for (const stream of [probe, ...busy]) stream.abort();
    for (const end of [probing, ...held]) expect(await end).toMatchObject({ code: 'aborted' });
  });

  test('the one that holds the model in memory is asked, whatever the order', async () => {
    const hosts = await twoHosts();
    await fetch(`${hosts[1].url}/api/generate`, { method: 'POST', body: '{"model":"stand-in"}' });
    const client = clientOf(hosts);
    for (let round = 0; round < 3; round++) expect(await client.chat(asked).text()).toBe('from 2');
    expect(await client.chat({ ...question, model: 'stand-in-vision' }).text()).toBe('from 1');
    expect(await client.chat({ ...question, model: 'stand-in-vision:latest' }).text()).toBe('from 1');
  });

  test('those who ask at once are spread over the hosts', async () => {
    const hosts = await twoHosts(() => startFakeOpenAI({ tokensPerSecond: Infinity }));
    for (const { fake } of hosts) {
      fake.reset();
      fake.script([say('a'), stall(100), say('b')], { times: Infinity });
    }
    const client = clientOf(hosts, { target: 'openai' });
    const texts = await Promise.all(Array.from({ length: 6 }, () => client.chat(asked).text()));
    expect(texts).toEqual(Array.from({ length: 6 }, () => 'ab'));
    expect(hosts.map(chats)).toEqual([3, 3]);
  });

  test('one that accepts and says nothing is passed over after a second', async () => {
    const clock = createManualClock();
    const silent = await serve(silence, silence);
    const [, second] = await twoHosts();
    const answer = clientOf([silent, second], { clock }).chat(asked).text();
    await silent.arrived(1);
    await clock.advance(1_000);
    expect(await answer).toBe('from 2');
    expect(silent.exchanges.map(({ request }) => request.url)).toEqual(['/api/ps']);
  });

  test('a break in the middle is not moved to another host, and counts against this one', async () => {
    const broken = await serve(reply(200, '{"models":[]}'), ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write(toLines(piece('The')));
      setTimeout(() => response.destroy(), 20);
    });
    const [, second] = await twoHosts();
    const client = clientOf([broken, second]);
    expect(await failureOf(client.chat(asked).text())).toMatchObject({
      code: 'truncated',
      partial: { text: 'The' },
    });
    expect(await client.chat(asked).text()).toBe('from 2');
  });

  test('leaving stops the host that answers', async () => {
    const [first, second] = await twoHosts();
    first.fake.reset();
    first.fake.script([say('The'), stall()]);
    for await (const event of clientOf([first, second]).chat(asked)) if (event.type === 'text-delta') break;
    await first.fake.waitFor(
      ({ openGenerations, disconnects }) => openGenerations === 0 && disconnects.length === 1,
    );
  });

  test('lists come from any, what changes a host goes to the first', async () => {
    const hosts = await twoHosts();
    await hosts[0].down();
    const client = clientOf(hosts, { retry: { maxAttempts: 1 } });
    expect((await client.models.list()).length).toBeGreaterThan(0);
    expect(await failureOf(createAdmin(client).delete('stand-in'))).toMatchObject({ code: 'connect_failed' });
    expect(hosts[1].fake.report().requests.some(({ method }) => method === 'DELETE')).toBe(false);
  });

  test('F099: a host that is ending finishes its streams, and what is new goes elsewhere', async () => {
    const ending = await serve(
      reply(200, '{"models":[]}'),
      linesThenSilence(piece('The ')),
      reply(503, '{"error":"server is shutting down"}', { Connection: 'close' }),
    );
    const [, second] = await twoHosts();
    const client = clientOf([ending, second]);
    const running = client.chat(asked);
    const iterator = running[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    second.fake.reset();
    second.fake.script(say('Elsewhere.'));
    const other = createClient({
      baseUrl: ending.url,
      transport: severalHosts([second.url]),
      target: 'openai',
    });
    expect(await other.chat(asked).text().catch(String)).toBe('Elsewhere.');
    const { response } = ending.exchanges[1] ?? expect.fail('nothing was asked');
    response.end(toLines(piece('end.'), last));
    const words: string[] = [];
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      if (next.value.type === 'text-delta') words.push(next.value.text);
    }
    expect(words).toEqual(['end.']);
  });

  test('wrong uses are refused at once', () => {
    expect(() => severalHosts(['b'])).toThrow(TypeError);
    expect(() => createClient({ baseUrl: 'http://a', transport: severalHosts(['http://b']) })).toThrow(
      'several upstreams',
    );
  });
});
