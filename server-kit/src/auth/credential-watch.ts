import type { Clock } from '../clock.ts';
import type { Connection } from '../connection.ts';
import { KitFailure } from '../failure.ts';
import type { Principal } from '../kit-types.ts';
import { headerOf } from '../request/direct-request.ts';

/** How often what is running is looked at, in ms: the longest that a credential taken back by another process keeps it going. */
const lookMs = 5000;
/** Credentials that are asked about at once: a store answers a few questions well, and all of them together late. */
const atOnce = 32;

/** Who a request was let in for, and what it showed. */
export interface Admission {
  request: Request;
  connection: Connection;
  principal: Principal;
  /** Wall time in ms since 1970. */
  admittedAtMs: number;
  /** Whether the host app's own check let it in. */
  isOfHost: boolean;
  requestId: string;
}

/** Something that runs for somebody. */
export interface Admitted {
  /** `undefined` for what nobody in particular asked for, or what is looked at elsewhere (sockets). */
  admission: Admission | undefined;
  /** Ends it with a failure that its writer tells. */
  fail(failure: KitFailure): void;
}

/** Whether it has been taken back what a request was let in with. Rejects when that cannot be said right now. */
export type IsTakenBack = (admission: Admission) => Promise<boolean>;

/**
 * Ends what is running when the credential it was asked with is taken back. One that merely expires ends nothing: an answer
 * is finished that was asked for in time, since its reader has no way to show a newer one, and no answer is endless.
 */
export class CredentialWatch {
  readonly #clock: Clock;
  readonly #leases: Iterable<Admitted>;
  readonly #others = new Set<Admitted>();
  #isTakenBack: IsTakenBack = async () => false;
  #cancelTimer: (() => void) | undefined;
  #isLooking = false;
  #mustLookAgain = false;

  constructor(clock: Clock, leases: Iterable<Admitted>) {
    this.#clock = clock;
    this.#leases = leases;
  }

  /** Asks here from now on. */
  askAt(isTakenBack: IsTakenBack): void {
    this.#isTakenBack = isTakenBack;
  }

  /** Something has begun to run; cheap when something runs already. */
  readonly begin = (): void => {
    this.#cancelTimer ??= this.#clock.setTimer(this.#onTick, lookMs);
  };

  /** Looks at something that has no lease, too, until the function it gives is called. */
  add(admitted: Admitted): () => void {
    this.#others.add(admitted);
    this.begin();
    return () => void this.#others.delete(admitted);
  }

  /** Something was taken back here: who runs with it is not left waiting for the next look. */
  readonly lookNow = (): void => {
    if (this.#isLooking) this.#mustLookAgain = true;
    else void this.#look();
  };

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  readonly #onTick = (): void => {
    this.#cancelTimer = undefined;
    const [running] = this.#running();
    if (running === undefined) return;
    this.begin();
    this.lookNow();
  };

  *#running(): Generator<Admitted> {
    yield* this.#leases;
    yield* this.#others;
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    do {
      this.#mustLookAgain = false;
      // Many streams of one program come with one credential: it is asked about once.
      const said = new Map<string, Promise<boolean>>();
      const all = [...this.#running()].filter(({ admission }) => admission !== undefined);
      for (let at = 0; at < all.length; at += atOnce) {
        await Promise.all(all.slice(at, at + atOnce).map((one) => this.#lookAt(one, said)));
      }
    } while (this.#mustLookAgain);
    this.#isLooking = false;
  }

  async #lookAt(one: Admitted, said: Map<string, Promise<boolean>>): Promise<void> {
    const { admission } = one;
    if (admission === undefined) return;
    const key = nameOf(admission);
    let saying = said.get(key);
    if (saying === undefined) {
      saying = this.#isTakenBack(admission);
      said.set(key, saying);
    }
    try {
      if (await saying) one.fail(takenBack());
    } catch {
      // A check that cannot be made right now (its store is down) ends nothing that is running.
    }
  }
}

/** Two with one name were let in with the same. */
function nameOf({ principal, request, isOfHost, admittedAtMs }: Admission): string {
  const shown = isOfHost
    ? [admittedAtMs]
    : [headerOf(request, 'authorization'), headerOf(request, 'x-api-key')];
  return JSON.stringify([principal.id, ...shown]);
}

function takenBack(): KitFailure {
  return new KitFailure(
    'unauthorized',
    'The credential of this request was taken back while it was being answered. Come back with a new one.',
    { reason: 'credential was taken back', headers: { 'www-authenticate': 'Bearer' } },
  );
}
