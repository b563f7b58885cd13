import type { Clock } from '../clock.ts';
import { asFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import { outrunFailure } from './limit-failure.ts';
import type { LimitStatus } from './limit-status.ts';
import type { Grant, Limits } from './limits.ts';
import { Meter } from './meter.ts';
import type { LimitSubject } from './owner-of.ts';
import type { Settler } from './settler.ts';
import type { InputSize, TokenEstimate } from './token-estimate.ts';

/** How often an answer's GPU time is looked at, and how much more is reserved at a time, in ms. */
const lookEveryMs = 1000;
const moreGpuMs = 10_000;

/** What an answer needs of the kit to be counted. */
export interface MeteringParts {
  limits: Limits;
  settler: Settler;
  estimate: TokenEstimate;
  clock: Clock;
}

/** What one answer has reserved, and the meter that says what it really used. Settled once, when its lease closes. */
export class Reservation {
  readonly meter: Meter;
  /** Tokens that the answer may have: what was wanted, or less where a quota has no more. */
  readonly maxTokens: number;
  /** Tokens of the input as they were estimated. */
  readonly inputTokens: number;
  readonly #parts: MeteringParts;
  readonly #subject: LimitSubject & { model: string };
  readonly #size: InputSize;
  readonly #startedAtMs: number;
  #beganAt: number;
  #gpuMs: number;
  #writingSince: number | undefined;

  constructor(
    parts: MeteringParts,
    subject: LimitSubject & { model: string },
    size: InputSize,
    granted: { maxTokens: number; wanted: number; input: number; startedAtMs: number; gpuMs: number },
  ) {
    this.#parts = parts;
    this.#subject = subject;
    this.#size = size;
    this.inputTokens = granted.input;
    this.#startedAtMs = granted.startedAtMs;
    this.#gpuMs = granted.gpuMs;
    this.#beganAt = parts.clock.now();
    this.maxTokens = Math.min(granted.maxTokens, granted.wanted);
    this.meter = new Meter({
      input: granted.input,
      maxInput: size.bytes + 64 * (size.messages + 4) + 8192 * size.images,
      maxOutput: granted.maxTokens,
    });
  }

  /**
   * Watches an answer that has a limit on GPU time: when it takes longer than was reserved, more is reserved, and when
   * there is no more it is cut.
   */
  watch(lease: Lease, holdId: string): void {
    const { limits, clock } = this.#parts;
    if (!limits.has('gpuSeconds')) return;
    const onBegin = () => {
      this.#writingSince = clock.now();
    };
    this.meter.onBegin ??= onBegin;
    const look = async () => {
      if (this.#writingSince !== undefined && clock.now() - this.#writingSince + lookEveryMs > this.#gpuMs) {
        if (!(await limits.extendGpuTime(this.#subject, holdId, this.#startedAtMs, moreGpuMs))) {
          throw outrunFailure();
        }
        this.#gpuMs += moreGpuMs;
      }
      this.watch(lease, holdId);
    };
    lease.setTimer(() => void look().catch((thrown) => lease.fail(asFailure(thrown))), lookEveryMs);
  }

  /** The answer has a place: what came before was waiting, and no GPU's time. */
  placed(): void {
    this.#beganAt = this.#parts.clock.now();
  }

  /**
   * Charges what was used and gives back the rest.
   *
   * @param wasSent Whether the model server may have worked on it. A failure of the server before it wrote anything costs
   *   nothing; somebody who leaves in that time pays for the reading.
   */
  settle(holdId: string, wasSent: boolean): void {
    const { limits, settler, estimate, clock } = this.#parts;
    const { used, hasBegun } = this.meter;
    const counts = hasBegun || wasSent;
    const gpuMs = used.gpuMs ?? clock.now() - this.#beganAt;
    settler.settle(
      holdId,
      limits.charges(this.#subject, this.#startedAtMs, counts ? { ...used, gpuMs } : undefined),
    );
    if (used.isCounted) estimate.learn(this.#subject.model, this.#size, used);
  }
}

/**
 * Reserves what an answer may use, of every rule that has to do with its model, in one step; at once where the store does.
 *
 * @throws {KitFailure} of the limit that refused.
 */
export function reserve(
  parts: MeteringParts,
  subject: LimitSubject & { model: string },
  size: InputSize,
  wanted: number,
  holdId: string,
  onStatuses: (statuses: readonly LimitStatus[]) => void,
): Reservation | Promise<Reservation> {
  const startedAtMs = parts.clock.wallNow();
  const input = parts.estimate.inputTokens(subject.model, size);
  const gpuTime = parts.estimate.gpuTime(subject.model);
  const granting = parts.limits.take(
    'model',
    subject,
    holdId,
    onStatuses,
    { inputTokens: input, maxTokens: wanted, gpuTime },
    startedAtMs,
  );
  const granted = ({ maxTokens }: Grant): Reservation => {
    const gpuMs = gpuTime.fixedMs + gpuTime.perTokenMs * Math.min(maxTokens, wanted);
    return new Reservation(parts, subject, size, { maxTokens, wanted, input, startedAtMs, gpuMs });
  };
  return granting instanceof Promise ? granting.then(granted) : granted(granting);
}
