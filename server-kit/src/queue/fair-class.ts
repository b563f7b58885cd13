import { Heap, type HeapItem } from './heap.ts';
import type { LineJob } from './line-job.ts';

/** Flows without a job that are remembered for what they have had; above this those that owe nothing are forgotten. */
const maxIdleFlows = 1024;

/** The jobs of one principal, in the order they came, and what the principal has had. */
interface Flow<J> extends HeapItem {
  key: string;
  /** Virtual time at which everything that was begun for it is paid for. */
  paidUntil: number;
  /** Virtual time when it began to wait: nobody saves up turns by staying away. */
  floor: number;
  jobs: Map<string, J>;
  running: number;
  /** Which of two flows with the same start goes first: the one that began to wait first. */
  since: number;
}

/** Service that was begun on an estimate, to be set right when it is over. */
export interface FairCharge {
  readonly flowKey: string;
  readonly weight: number;
  readonly estimateMs: number;
}

/**
 * Jobs of one class, fair by service time between principals: start-time fair queueing (Goyal, Vin and Cheng, 1996). The
 * principal goes next whose paid service, divided by its weight, is least; within one principal the order of arrival
 * holds. What a job will take is estimated when it begins and set right when it ends.
 */
export class FairClass<J extends LineJob> {
  readonly #flows = new Map<string, Flow<J>>();
  readonly #backlog = new Heap<Flow<J>>(goesFirst);
  #virtualTime = 0;
  #entered = 0;
  #size = 0;
  #running = 0;
  /** When the class last gave a job, or began to have one: what its guard counts from. */
  movedAt = 0;

  get size(): number {
    return this.#size;
  }

  /** How many principals have a job here. */
  get flows(): number {
    return this.#backlog.size;
  }

  /** How many principals are remembered. */
  get known(): number {
    return this.#flows.size;
  }

  enter(job: J, now: number): void {
    if (this.#size === 0) this.movedAt = now;
    const flow = this.#flow(job.flowKey);
    flow.jobs.set(job.id, job);
    this.#size++;
    if (flow.jobs.size > 1) return;
    flow.floor = this.#virtualTime;
    flow.since = ++this.#entered;
    this.#backlog.add(flow);
  }

  leave(job: J): boolean {
    const flow = this.#flows.get(job.flowKey);
    if (!flow?.jobs.delete(job.id)) return false;
    this.#size--;
    if (flow.jobs.size === 0) this.#emptied(flow);
    return true;
  }

  /** The job whose turn it is. */
  first(): J | undefined {
    return this.#backlog.first?.jobs.values().next().value;
  }

  /** The last job of the principal that has most jobs here, and how many those are. */
  longest(): { job: J; count: number } | undefined {
    let longest: Flow<J> | undefined;
    for (const flow of this.#backlog.values()) {
      if (longest === undefined || flow.jobs.size > longest.jobs.size) longest = flow;
    }
    const job = longest && [...longest.jobs.values()].at(-1);
    return longest && job && { job, count: longest.jobs.size };
  }

  /** How many jobs a principal has here. */
  countOf(flowKey: string): number {
    return this.#flows.get(flowKey)?.jobs.size ?? 0;
  }

  /** Takes a job out to be served; `first()` unless it cannot be served just now. */
  begin(job: J, now: number): FairCharge {
    const charge = this.charge(job.flowKey, job.weight, job.estimateMs);
    this.movedAt = now;
    this.leave(job);
    return charge;
  }

  /** Counts service that begins, of somebody who need not wait as well. */
  charge(flowKey: string, weight: number, estimateMs: number): FairCharge {
    const flow = this.#flow(flowKey);
    const start = startOf(flow, flow.jobs.size > 0 ? flow.floor : this.#virtualTime);
    this.#virtualTime = Math.max(this.#virtualTime, start);
    flow.paidUntil = start + estimateMs / weight;
    flow.running++;
    this.#running++;
    this.#backlog.moved(flow);
    return { flowKey, weight, estimateMs };
  }

  /** Sets the service right that was charged on an estimate. */
  settle({ flowKey, weight, estimateMs }: FairCharge, servedMs: number): void {
    const flow = this.#flows.get(flowKey);
    if (!flow) return;
    flow.paidUntil += (servedMs - estimateMs) / weight;
    flow.running--;
    this.#running--;
    this.#backlog.moved(flow);
    if (this.#running === 0 && this.#size === 0) {
      // Everybody is square: who comes next begins anew.
      this.#flows.clear();
      this.#virtualTime = 0;
    } else if (flow.jobs.size === 0) this.#emptied(flow);
  }

  /** Every job in the order in which they would be served if nobody came, left or took another time than expected. */
  *order(): Generator<J> {
    const rest = new Heap<Walker<J>>(goesFirst);
    for (const { paidUntil, floor, since, jobs } of this.#backlog.values()) {
      const waiting = jobs.values();
      const job = waiting.next().value as J;
      rest.add({ paidUntil, floor, since, waiting, job, heapIndex: -1 });
    }
    for (let walker = rest.first; walker !== undefined; walker = rest.first) {
      yield walker.job;
      const next = walker.waiting.next();
      if (next.done) rest.remove(walker);
      else {
        const { estimateMs, weight } = walker.job;
        walker.paidUntil = startOf(walker, walker.floor) + estimateMs / weight;
        walker.job = next.value;
        rest.moved(walker);
      }
    }
  }

  #flow(key: string): Flow<J> {
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = { key, paidUntil: 0, floor: 0, jobs: new Map(), running: 0, since: 0, heapIndex: -1 };
      this.#flows.set(key, flow);
    }
    return flow;
  }

  #emptied(flow: Flow<J>): void {
    this.#backlog.remove(flow);
    if (this.#isSquare(flow)) this.#flows.delete(flow.key);
    else if (this.#flows.size > maxIdleFlows + this.#backlog.size + this.#running) this.#forget();
  }

  #isSquare({ jobs, running, paidUntil }: Flow<J>): boolean {
    return jobs.size === 0 && running === 0 && paidUntil <= this.#virtualTime;
  }

  /** Forgets who owes nothing, and if that is not enough who has waited longest to be forgotten. */
  #forget(): void {
    for (const flow of this.#flows.values()) if (this.#isSquare(flow)) this.#flows.delete(flow.key);
    for (const flow of this.#flows.values()) {
      if (this.#flows.size <= maxIdleFlows + this.#backlog.size + this.#running) return;
      if (flow.jobs.size === 0 && flow.running === 0) this.#flows.delete(flow.key);
    }
  }
}

interface Walker<J> extends HeapItem {
  paidUntil: number;
  floor: number;
  since: number;
  waiting: Iterator<J, undefined>;
  job: J;
}

function startOf({ paidUntil }: { paidUntil: number }, floor: number): number {
  return Math.max(paidUntil, floor);
}

function goesFirst(
  a: { paidUntil: number; floor: number; since: number },
  b: { paidUntil: number; floor: number; since: number },
): boolean {
  const starts = startOf(a, a.floor) - startOf(b, b.floor);
  return starts === 0 ? a.since < b.since : starts < 0;
}
