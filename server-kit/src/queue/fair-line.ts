import { type FairCharge, FairClass } from './fair-class.ts';
import { type LineJob, type Priority, priorities } from './line-job.ts';

/** Service that was begun, with the class it counts in. */
export interface LineCharge extends FairCharge {
  readonly priority: Priority;
}

/**
 * The line of one model. The most urgent class goes first; a class that has not moved for the guard time gets one turn all
 * the same, so that nothing waits for ever. Pure: the time is an argument.
 */
export class FairLine<J extends LineJob> {
  readonly #classes: Record<Priority, FairClass<J>> = {
    urgent: new FairClass(),
    interactive: new FairClass(),
    batch: new FairClass(),
  };
  readonly #guardMs: number;
  readonly #jobs = new Map<string, J>();
  #order: readonly J[] | undefined;
  #orderedAt = 0;

  /** @param guardMs Longest time a class that has jobs gets no turn, in ms. */
  constructor(guardMs: number) {
    this.#guardMs = guardMs;
  }

  get size(): number {
    return this.#jobs.size;
  }

  /** How many principals wait, each class for itself. */
  get flows(): number {
    return priorities.reduce((sum, priority) => sum + this.#classes[priority].flows, 0);
  }

  get(id: string): J | undefined {
    return this.#jobs.get(id);
  }

  /** The jobs in the order in which they came. */
  jobs(): IterableIterator<J> {
    return this.#jobs.values();
  }

  enter(job: J, now: number): void {
    this.#order = undefined;
    this.#jobs.set(job.id, job);
    this.#classes[job.priority].enter(job, now);
  }

  leave(job: J): boolean {
    this.#order = undefined;
    this.#jobs.delete(job.id);
    return this.#classes[job.priority].leave(job);
  }

  /** Moves a job to another class, behind those of its principal that are there. */
  reprioritise(job: J, priority: Priority, now: number): void {
    this.#order = undefined;
    this.#classes[job.priority].leave(job);
    job.priority = priority;
    this.#classes[priority].enter(job, now);
  }

  /** The job whose turn it is. */
  first(now: number): J | undefined {
    return this.#class(now)?.first();
  }

  /** Takes a job out to be served. */
  begin(job: J, now: number): LineCharge {
    this.#order = undefined;
    this.#jobs.delete(job.id);
    return { ...this.#classes[job.priority].begin(job, now), priority: job.priority };
  }

  /** Counts the service of somebody who found a place at once. */
  charge({ flowKey, weight, estimateMs, priority }: Omit<LineJob, 'id'>): LineCharge {
    this.#order = undefined;
    return { ...this.#classes[priority].charge(flowKey, weight, estimateMs), priority };
  }

  /** Sets service right that was counted on an estimate. */
  settle(charge: LineCharge, servedMs: number): void {
    this.#order = undefined;
    this.#classes[charge.priority].settle(charge, servedMs);
  }

  /**
   * Who must go for a newcomer when the line is full: the last job of a less urgent class, else of the principal that has
   * most jobs in the newcomer's class, if it has more than the newcomer's own would be. `undefined`: the newcomer itself.
   */
  victimFor({ flowKey, priority }: Pick<LineJob, 'flowKey' | 'priority'>): J | undefined {
    for (const other of priorities.toReversed()) {
      const longest = this.#classes[other].longest();
      if (other === priority) {
        const own = this.#classes[priority].countOf(flowKey);
        return longest && longest.count > own + 1 ? longest.job : undefined;
      }
      if (longest) return longest.job;
    }
    return undefined;
  }

  /** Every job in the order in which they would be served as things stand. */
  order(now: number): readonly J[] {
    if (this.#order && this.#orderedAt === now) return this.#order;
    const walks = priorities.map((priority) => [...this.#classes[priority].order()]);
    const order = walks.flat();
    const due = this.#dueAt(now);
    if (due.length > 0) {
      // One turn for each class that is due, then by urgency again.
      const first = due.map((priority) => walks[priorities.indexOf(priority)]?.[0] as J);
      this.#order = [...first, ...order.filter((job) => !first.includes(job))];
    } else this.#order = order;
    this.#orderedAt = now;
    return this.#order;
  }

  #class(now: number): FairClass<J> | undefined {
    const [due] = this.#dueAt(now);
    if (due !== undefined) return this.#classes[due];
    for (const priority of priorities) if (this.#classes[priority].size > 0) return this.#classes[priority];
    return undefined;
  }

  /** Classes that have jobs behind a more urgent class and have not moved for the guard time, the longest first. */
  #dueAt(now: number): Priority[] {
    const due: Priority[] = [];
    let isBehind = false;
    for (const priority of priorities) {
      const { size, movedAt } = this.#classes[priority];
      if (size === 0) continue;
      if (isBehind && now - movedAt >= this.#guardMs) due.push(priority);
      isBehind = true;
    }
    return due.sort((a, b) => this.#classes[a].movedAt - this.#classes[b].movedAt);
  }
}
