import { createManualClock } from '@ziggie/llm-testing';
import { expect, it } from 'vitest';
import { settle } from '../../test/conversation/open-conversation.ts';
import { fullRecord } from '../../test/conversation/storage.contract.ts';
import { Saver } from './saver.ts';
import { createMemoryStorage } from './storage/memory.ts';

/** A saver whose storage works off one operation per `step()`. */
function open() {
  const log: string[] = [];
  const waiting: (() => void)[] = [];
  const operation = (name: string) => {
    log.push(name);
    return new Promise<void>((resolve) => waiting.push(resolve));
  };
  const clock = createManualClock();
  const storage = {
    ...createMemoryStorage(),
    save: () => operation('save'),
    remove: () => operation('remove'),
  };
  const saver = new Saver({
    id: 'one',
    storage,
    clock,
    snapshot: () => fullRecord('one'),
    onSaved: () => log.push('saved'),
  });
  const step = (): Promise<void> => {
    waiting.shift()?.();
    return settle();
  };
  return { saver, clock, log, step };
}

it('Saver: of saves that wait for one under way, one is made', async () => {
  const { saver, log, step } = open();
  saver.now();
  await settle();
  saver.now();
  saver.now();
  saver.soon();
  await step();
  expect(log).toEqual(['save', 'saved', 'save']);
  await step();
  await step();
  expect(log).toEqual(['save', 'saved', 'save', 'saved']);
});

it('Saver: a removal drops the saves that wait; a save wished after it comes after it, once', async () => {
  const { saver, log, step } = open();
  saver.now();
  await settle();
  saver.now();
  void saver.remove();
  saver.now();
  for (let steps = 0; steps < 5; steps++) await step();
  expect(log).toEqual(['save', 'saved', 'remove', 'save', 'saved']);
});

it('Saver: soon() is one save after a second, and none when now() was first', async () => {
  const { saver, clock, log, step } = open();
  saver.soon();
  await clock.advance(600);
  saver.soon();
  await clock.advance(399);
  expect(log).toEqual([]);
  await clock.advance(1);
  expect(log).toEqual(['save']);
  await step();
  saver.soon();
  saver.now();
  await clock.advance(5000);
  await step();
  expect(log).toEqual(['save', 'saved', 'save', 'saved']);
  expect(clock.pending).toBe(0);
});
