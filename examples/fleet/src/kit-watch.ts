/** A model server as a kit sees it; the answer of `GET /admin/upstreams`. */
export interface UpstreamView {
  id: string;
  url: string;
  breaker: string;
  drained: boolean;
  inFlight: number;
  attempts: number;
  faults: number;
  models: { name: string; memory: string; inFlight: number; slots: number | null }[];
}

/** A request that waits; the answer of `GET /admin/queue`. */
export interface WaitingView {
  principal: string;
  model: string;
  position: number;
  of: number;
  etaMs: number | null;
}

/** What a kit says of itself. */
export interface KitView {
  upstreams: UpstreamView[];
  waiting: WaitingView[];
}

const everyMs = 500;

class Refused extends Error {}

/** Asks a kit again and again, as an administrator. */
export class KitWatch {
  readonly name: string;
  /** `null` while it does not answer as it should. */
  view: KitView | null = null;
  /** Why. */
  trouble = 'not asked yet';
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(name: string, url: string, token: string) {
    this.name = name;
    this.#url = url;
    this.#headers = { authorization: `Bearer ${token}` };
    void this.#look();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      const [{ upstreams }, { waiting }] = await Promise.all([
        this.#get<Pick<KitView, 'upstreams'>>('/admin/upstreams'),
        this.#get<Pick<KitView, 'waiting'>>('/admin/queue'),
      ]);
      this.view = { upstreams, waiting };
    } catch (error) {
      this.view = null;
      this.trouble = error instanceof Refused ? error.message : 'does not answer';
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#look(), everyMs);
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      headers: this.#headers,
      signal: AbortSignal.timeout(2000),
    });
    if (!response.ok) throw new Refused(`answered ${response.status}`);
    return (await response.json()) as T;
  }
}
