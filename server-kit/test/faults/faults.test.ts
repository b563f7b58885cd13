import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, errorKinds } from '@ziggie/llm-protocol';
import { faults } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import expectations from './expectations.json' with { type: 'json' };
import { expectedOf } from './expected.ts';
import { doors } from './gateway.ts';
import { nothing, play } from './play.ts';

const corpus = fileURLToPath(new URL('../../../../shared/corpora/faults.json', import.meta.url));
const { elsewhere, notHeld, otherwise } = expectations as Record<string, Record<string, string>>;
/** Rows that an upstream can make: up to the end of its answer. */
const last = 'F067';

const rows = faults
  .filter(({ id }) => id <= last)
  .flatMap(({ id, what, variants }) =>
    variants.map((variant): [string, string, string] => [id, variant, what]),
  );

describe.each(doors)('on %s', (door) => {
  test.each(rows)('%s %s: %s', async (id, variant) => {
    const wanted = expectedOf(id, variant);
    const info = faults.find((fault) => fault.id === id);
    if (!wanted || !info) throw new Error(`Nothing is expected of ${id} ${variant}.`);
    const outcome = await play(door, id, variant, wanted.timeouts);
    const { status, code, shown, ends, body, logged, requests } = outcome;
    expect({ status, code }).toEqual({ status: wanted.status, code: wanted.code });
    const text = wanted.text ?? info.partial;
    if (text === '*') expect(shown).not.toBe('');
    else expect(shown).toBe(text);
    // One end, of one kind, and one line in the log that says the same.
    expect(ends).toEqual([wanted.code === undefined ? 'done' : status === 200 ? 'error' : 'problem']);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({
      outcome: wanted.code === undefined ? 'ok' : status < 500 && status !== 200 ? 'refused' : 'failed',
      status: wanted.code === undefined ? 200 : errorKinds[wanted.code as ErrorCode].status,
    });
    expect(logged[0]?.['code']).toBe(wanted.code);
    // Nothing is left, nobody was asked twice, and nothing of the raw answer or of the question is in what is told.
    expect(outcome.gauges).toEqual(nothing);
    expect(outcome.left).toBe(0);
    expect(outcome.rejections).toEqual([]);
    expect(requests).toBeLessThanOrEqual(1);
    if (wanted.code !== undefined) expect(body.slice(-600)).not.toMatch(/<html|llama runner|What is it/);
    expect(JSON.stringify(logged)).not.toMatch(/What is it|The answer is/);
  });
});

test.skipIf(!existsSync(corpus))(
  'every row of the list up to the end of an answer is played, or says why not',
  () => {
    const { faults: list } = JSON.parse(readFileSync(corpus, 'utf8')) as { faults: { id: string }[] };
    const played = new Set(rows.map(([id]) => id));
    const missing = list
      .map(({ id }) => id)
      .filter(
        (id) => id <= last && !played.has(id) && elsewhere?.[id] === undefined && notHeld?.[id] === undefined,
      );
    expect(missing).toEqual([]);
  },
);

test('where else a row is held is a file that is there; what differs from the list is a row that is played', () => {
  for (const [id, place] of Object.entries(elsewhere ?? {})) {
    const [file = '', title = ''] = place.split(' › ');
    const path = fileURLToPath(new URL(`../../../${file}`, import.meta.url));
    expect(existsSync(path), `${id}: ${file}`).toBe(true);
    expect(readFileSync(path, 'utf8'), `${id}: ${title}`).toContain(title);
  }
  for (const id of Object.keys(otherwise ?? {})) expect(rows.some(([played]) => played === id)).toBe(true);
});
