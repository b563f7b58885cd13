/** One record of a pull, as administrators see it. */
export interface PullRecord {
  /** The model server's own words, such as `pulling manifest`, as far as they are among those it is known to say. */
  status: string;
  /** Which layer it is about. */
  digest?: string | undefined;
  /** Bytes of that layer, and how many of them are there. */
  total?: number | undefined;
  completed?: number | undefined;
  /** Over the last five seconds and all layers; `null` before anything has moved. */
  bytesPerSec: number | null;
  /** For the layers known so far at that speed. */
  etaMs: number | null;
  /** Which model server. */
  host: string;
}

/** Layers that are told of one by one. A model has about five. */
const mostLayers = 1000;
const windowMs = 5000;
const shortestMs = 500;
/** Between two samples: a server may tell more often than anybody can read. */
const sampleMs = 50;

// An upstream's text may hold paths and addresses. What it says of a pull is known, so only that passes.
const knownStatus =
  /^(?:pulling (?:manifest|[a-f0-9]{12})|verifying sha256 digest|writing manifest|removing (?:any )?unused layers|success)$/;

/** Reads the records of one pull on one server, and measures how fast it goes. */
export class PullMeter {
  readonly #host: string;
  readonly #layers = new Map<string, { total: number; completed: number; had: number }>();
  #samples: { atMs: number; bytes: number }[] = [];

  constructor(host: string) {
    this.#host = host;
  }

  read(record: Readonly<Record<string, unknown>>, now: number): PullRecord {
    const { status, digest } = record;
    const words = typeof status === 'string' && knownStatus.test(status) ? status : 'working';
    const total = bytesOf(record['total']);
    const isLayer = typeof digest === 'string' && /^sha256:[a-f0-9]{64}$/.test(digest) && total !== undefined;
    // A server that never stops naming new ones must not fill the memory with them.
    const isTold = isLayer && (this.#layers.has(digest) || this.#layers.size < mostLayers);
    if (!isTold) return { status: words, ...this.#pace(now), host: this.#host };
    const completed = Math.min(bytesOf(record['completed']) ?? 0, total);
    const layer = this.#layers.get(digest) ?? { total, completed: 0, had: completed };
    layer.total = total;
    // A part that failed is fetched again: the server's own count goes back then.
    layer.completed = Math.max(layer.completed, completed);
    this.#layers.set(digest, layer);
    return {
      status: words,
      digest,
      total,
      completed: layer.completed,
      ...this.#pace(now),
      host: this.#host,
    };
  }

  #pace(now: number): { bytesPerSec: number | null; etaMs: number | null } {
    let moved = 0;
    let left = 0;
    for (const { total, completed, had } of this.#layers.values()) {
      moved += completed - had;
      left += total - completed;
    }
    const samples = this.#samples;
    if (now - (samples.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= sampleMs) {
      samples.push({ atMs: now, bytes: moved });
    }
    while (samples.length > 2 && now - (samples[1]?.atMs ?? now) >= windowMs) samples.shift();
    const [oldest] = samples;
    const elapsedMs = now - (oldest?.atMs ?? now);
    const bytes = moved - (oldest?.bytes ?? moved);
    if (elapsedMs < shortestMs || bytes <= 0) return { bytesPerSec: null, etaMs: null };
    const bytesPerSec = Math.round((bytes * 1000) / elapsedMs);
    return { bytesPerSec, etaMs: Math.round((left * elapsedMs) / bytes) };
  }
}

function bytesOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
