import { describe, expect, test } from 'vitest';
import { fixture, fixtures, hasFixtures } from '../../test/fixtures.ts';
import { eventsOf, resultOf } from '../../test/in-chunks.ts';
import { failureOf } from '../../test/samples.ts';
import { wiresOf } from '../../test/wires.ts';

const names = fixtures(/^(?:chat|generate)-.*\.ndjson$/).filter(
  (name) => !/error|truncated|empty-200/.test(name),
);
const cases = names.flatMap((name) => wiresOf(fixture(name)).map((wire) => [name, wire.name, wire] as const));

describe.skipIf(!hasFixtures)('every transcript on every wire', () => {
  test.each(cases)('%s, %s: cut in two at every byte it gives the same events', async (_, _wire, wire) => {
    const { bytes, target, contentType } = wire;
    const whole = await eventsOf([bytes], target, contentType);
    for (let at = 1; at < bytes.length; at++) {
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
      expect(await eventsOf(pieces, target, contentType), `cut at ${at}`).toEqual(whole);
    }
  });

  test.each(cases)(
    '%s, %s: ended at any byte it is the whole answer or a failure',
    async (_, _wire, wire) => {
      const { bytes, target } = wire;
      const whole = await resultOf([bytes], target);
      const said = ({ text, thinking, toolCalls, finishReason }: typeof whole) => ({
        text,
        thinking,
        toolCalls,
        finishReason,
      });
      for (let length = 0; length < bytes.length; length++) {
        const ended = resultOf([bytes.subarray(0, length)], target);
        const got = await ended.catch(() => undefined);
        if (got) expect(said(got), `ended after ${length}`).toEqual(said(whole));
        else expect(await failureOf(ended)).toMatchObject({ code: 'truncated', retryable: true });
      }
    },
  );
});
