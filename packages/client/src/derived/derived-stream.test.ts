import { describe, expect, test } from 'vitest';
import { DerivedStream } from './derived-stream.ts';

type Numbers = AsyncGenerator<number, string, void>;

async function* numbers(): Numbers {
  yield 1;
  yield 2;
  return 'whole';
}

describe('a stream whose generator comes late', () => {
  test('gives its events and its result', async () => {
    const stream = new DerivedStream<number, string>(undefined, async () => numbers());
    const seen: number[] = [];
    for await (const event of stream) seen.push(event);
    expect(seen).toEqual([1, 2]);
    expect(await stream.result()).toBe('whole');
  });

  test.each(['abort()', 'the signal'])('%s ends it while that is still being loaded', async (way) => {
    const control = new AbortController();
    const stream = new DerivedStream<number, string>(control.signal, () => new Promise<Numbers>(() => {}));
    const first = stream.next();
    if (way === 'abort()') stream.abort('enough');
    else control.abort('enough');
    await expect(first).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    await expect(stream.result()).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    expect(await stream.next().catch(({ code }) => code)).toBe('aborted');
  });

  test('leaving it meanwhile begins nothing, however late it comes', async () => {
    let came!: (events: Numbers) => void;
    const opening = new Promise<Numbers>((resolve) => {
      came = resolve;
    });
    let begun = false;
    const late = (async function* (): Numbers {
      begun = true;
      yield* numbers();
      return 'whole';
    })();
    const stream = new DerivedStream<number, string>(undefined, () => opening);
    const first = stream.next().catch(({ code }) => code);
    await stream.return();
    came(late);
    expect(await first).toBe('aborted');
    await opening;
    expect(begun).toBe(false);
  });

  test('two reads at once load it once, and share its events', async () => {
    let opened = 0;
    const stream = new DerivedStream<number, string>(undefined, async () => {
      opened++;
      return numbers();
    });
    const steps = await Promise.all([stream.next(), stream.next(), stream.next()]);
    expect(steps.map(({ value }) => value)).toEqual([1, 2, undefined]);
    expect(opened).toBe(1);
  });

  test('what cannot be loaded is its failure', async () => {
    const stream = new DerivedStream<number, string>(undefined, () => Promise.reject(new Error('offline')));
    await expect(stream.next()).rejects.toThrow('offline');
    await expect(stream.result()).rejects.toThrow('offline');
    expect(await stream.next().catch((error: Error) => error.message)).toBe('offline');
  });
});
