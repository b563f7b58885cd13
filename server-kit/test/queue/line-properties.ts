import fc from 'fast-check';
import { expect } from 'vitest';
import { FairLine } from '../../src/queue/fair-line.ts';
import type { LineJob, Priority } from '../../src/queue/line-job.ts';

export const job = (id: string, flowKey: string, more: Partial<LineJob> = {}): LineJob => ({
  id,
  flowKey,
  weight: 1,
  estimateMs: 1000,
  priority: 'interactive',
  ...more,
});

/** Serves everybody, each in its turn, with a clock that stands. */
function drained(line: FairLine<LineJob>, now: number): string[] {
  const order: string[] = [];
  for (let first = line.first(now); first; first = line.first(now)) {
    line.begin(first, now);
    order.push(first.id);
  }
  return order;
}

export const commands = fc.array(
  fc.record({
    kind: fc.constantFrom('enter', 'enter', 'enter', 'leave', 'begin', 'settle', 'move'),
    flow: fc.integer({ min: 0, max: 7 }),
    weight: fc.constantFrom(0.5, 1, 3),
    estimateMs: fc.integer({ min: 1, max: 20_000 }),
    priority: fc.constantFrom<Priority>('interactive', 'interactive', 'batch', 'urgent'),
    pick: fc.nat(),
    afterMs: fc.integer({ min: 0, max: 30_000 }),
  }),
  { maxLength: 80 },
);

/** Whatever happens to a line, it serves in the very order that it tells, and loses nobody. */
export function checkLines(numRuns: number): void {
  fc.assert(
    fc.property(commands, (list) => {
      const line = new FairLine<LineJob>(60_000);
      const waiting = new Map<string, LineJob>();
      const running: ReturnType<FairLine<LineJob>['begin']>[] = [];
      let now = 0;
      let made = 0;
      for (const { kind, flow, weight, estimateMs, priority, pick, afterMs } of list) {
        now += afterMs;
        const picked = [...waiting.values()][pick % Math.max(1, waiting.size)];
        if (kind === 'enter') {
          const one = job(`${made++}`, `${flow}`, { weight, estimateMs, priority });
          waiting.set(one.id, one);
          line.enter(one, now);
        } else if (kind === 'leave' && picked) {
          waiting.delete(picked.id);
          expect(line.leave(picked)).toBe(true);
        } else if (kind === 'move' && picked) line.reprioritise(picked, priority, now);
        else if (kind === 'settle') {
          const charge = running.splice(pick % Math.max(1, running.length), 1)[0];
          if (charge) line.settle(charge, estimateMs);
        } else if (kind === 'begin') {
          const told = line.order(now)[0];
          const first = line.first(now);
          expect(first?.id).toBe(told?.id);
          if (first) {
            running.push(line.begin(first, now));
            waiting.delete(first.id);
          }
        }
        expect(line.size).toBe(waiting.size);
      }
      const told = line.order(now).map(({ id }) => id);
      expect(new Set(told)).toEqual(new Set(waiting.keys()));
      expect(drained(line, now)).toEqual(told);
    }),
    { numRuns },
  );
}
