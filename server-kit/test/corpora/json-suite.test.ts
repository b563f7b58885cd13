import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttackBench, attackedHosts, eachOf, startAttackBench, statusOf } from './attack-bench.ts';
import { corpus, hasCorpora } from './shared.ts';

const { parsing = [], transform = [], pollution = [] } = corpus('json-suite');

/** A good body with this text as a value in it. */
const around = (text: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      '{"model":"llama3.2","messages":[{"role":"user","content":"hi"}],"stream":false,"tools":[{"type":"function","function":{"name":"f","parameters":{"x":',
    ),
    text,
    Buffer.from('}}}]}'),
  ]);

describe.skipIf(!hasCorpora).each(attackedHosts)('bodies of the JSON suite on %s', (_name, start) => {
  let bench: AttackBench;
  beforeAll(async () => {
    bench = await startAttackBench(start);
  });
  afterAll(() => bench?.close());

  const post = async (body: Buffer): Promise<number> =>
    statusOf(
      await bench.send(
        Buffer.concat([
          Buffer.from(
            `POST /llm/chat HTTP/1.1\r\nHost: x\r\nAuthorization: ${bench.authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
          ),
          body,
        ]),
      ),
    );

  test('each as a whole body is a typed 400, never a 500', async () => {
    const wrong: string[] = [];
    await eachOf([...parsing, ...transform], async ({ id, json_b64: base64 = '' }) => {
      const status = await post(Buffer.from(base64, 'base64'));
      if (status !== 400 && status !== 413) wrong.push(`${id}: ${status}`);
    });
    expect(wrong).toEqual([]);
    expect(bench.recorded).toEqual([]);
  });

  test('each good value within a body is accepted, and the model server reads what was checked', async () => {
    const wrong: string[] = [];
    const good = [...parsing.filter(({ id }) => id?.startsWith('y_')), ...transform];
    await eachOf(good, async ({ id, json_b64: base64 = '' }) => {
      const status = await post(around(Buffer.from(base64, 'base64')));
      // A value that is not UTF-8 or JSON is refused, never passed on as something else.
      if (status !== 200 && !(status === 400 && !id?.startsWith('y_'))) wrong.push(`${id}: ${status}`);
    });
    expect(wrong).toEqual([]);
    for (const { body } of bench.recorded) expect(JSON.stringify(JSON.parse(body))).toBe(body);
    bench.recorded.length = 0;
  });

  test('none pollutes a prototype or is passed on as one', async () => {
    expect(pollution.length).toBeGreaterThan(20);
    for (const { json = '' } of pollution) {
      for (const body of [Buffer.from(json), around(Buffer.from(json))]) {
        expect([200, 400]).toContain(await post(body));
      }
      for (const name of ['x', 'isAdmin', 'bar', 'polluted', 'admin']) {
        expect(({} as Record<string, unknown>)[name]).toBeUndefined();
      }
    }
    for (const { body } of bench.recorded) expect(body).not.toMatch(/"__proto__"\s*:/);
  });
});
