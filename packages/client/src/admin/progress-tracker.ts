import type { LayerProgress, ModelProgress } from './types.ts';

/** One record of `/api/pull`, `/api/push` or `/api/create`, read loosely. */
export interface ProgressRecord {
  /** Which of several servers, behind a kit. */
  host?: unknown;
  status?: unknown;
  digest?: unknown;
  total?: unknown;
  completed?: unknown;
}

interface Layer extends LayerProgress {
  /** What was there when the layer was first heard of: it costs no time. */
  hadBytes: number;
}

const SPEED_WINDOW_MS = 5_000;
const SPEED_MIN_MS = 500;
/** Bytes can be all here and the model not yet usable: the last hundredth belongs to `success`. */
const MAX_BEFORE_SUCCESS = 0.99;

/**
 * Makes an overall progress out of the records of single layers, over any number of attempts.
 *
 * Ollama reports one layer after the other: the total is not known before the last, `completed` may go back when a part
 * failed, and a layer may never show that it is complete. So each layer keeps its maximum, the next status completes the
 * layer before it, and when the total grows, the fraction goes on from where it is over what is left.
 */
export class ProgressTracker {
  readonly #layers = new Map<string, Layer>();
  #samples: { atMs: number; bytes: number }[] = [];
  /** What each server is at. */
  readonly #current = new Map<string, Layer | undefined>();
  #fraction: number | null = null;
  /** The fraction and the bytes when the total last changed. */
  #base = { fraction: 0, bytes: 0, total: 0 };
  #completed = 0;

  /** Another attempt begins: what comes next does not mean that the layer before it is complete. */
  restart(): void {
    this.#current.clear();
    this.#samples = [];
  }

  add({ host: from, status, digest, total, completed }: ProgressRecord, atMs: number): ModelProgress {
    const host = typeof from === 'string' ? from : undefined;
    const words = typeof status === 'string' ? status : '';
    const layer = this.#layerOf(host, digest, total, completed);
    const before = this.#current.get(host ?? '');
    if (before && before !== layer) before.completedBytes = before.totalBytes;
    this.#current.set(host ?? '', layer);
    const done = words === 'success';
    const [completedBytes, totalBytes, movedBytes] = this.#sums();
    this.#move(completedBytes, totalBytes, done);
    const bytesPerSecond = this.#speed(movedBytes, atMs);
    return {
      status: words,
      phase: done ? 'done' : layer ? 'transferring' : this.#layers.size > 0 ? 'finishing' : 'preparing',
      fraction: this.#fraction,
      completedBytes,
      totalBytes,
      bytesPerSecond,
      etaMs:
        done || !bytesPerSecond ? (done ? 0 : null) : ((totalBytes - completedBytes) * 1000) / bytesPerSecond,
      layers: [...this.#layers.values()].map(({ hadBytes: _, ...shown }) => shown),
    };
  }

  #layerOf(host: string | undefined, digest: unknown, total: unknown, completed: unknown): Layer | undefined {
    if (typeof digest !== 'string' || !isSize(total) || total === 0) return undefined;
    const bytes = isSize(completed) ? Math.min(completed, total) : 0;
    const key = `${host ?? ''} ${digest}`;
    let layer = this.#layers.get(key);
    if (!layer) {
      layer = { ...(host && { host }), digest, totalBytes: total, completedBytes: bytes, hadBytes: bytes };
      this.#layers.set(key, layer);
    }
    layer.totalBytes = Math.max(layer.totalBytes, total);
    layer.completedBytes = Math.max(layer.completedBytes, bytes);
    return layer;
  }

  #sums(): [completed: number, total: number, moved: number] {
    let completed = 0;
    let total = 0;
    let moved = 0;
    for (const layer of this.#layers.values()) {
      completed += layer.completedBytes;
      total += layer.totalBytes;
      moved += layer.completedBytes - layer.hadBytes;
    }
    return [completed, total, moved];
  }

  #move(completed: number, total: number, done: boolean): void {
    if (done) this.#fraction = 1;
    if (done || total === 0) return;
    if (total !== this.#base.total) {
      this.#base = { fraction: this.#fraction ?? 0, bytes: this.#completed, total };
    }
    const { fraction, bytes } = this.#base;
    const share = total > bytes ? (completed - bytes) / (total - bytes) : 1;
    const next = fraction + (MAX_BEFORE_SUCCESS - fraction) * share;
    this.#fraction = Math.max(this.#fraction ?? 0, Math.min(MAX_BEFORE_SUCCESS, next));
    this.#completed = completed;
  }

  #speed(bytes: number, atMs: number): number | null {
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && atMs - (this.#samples[1]?.atMs ?? atMs) >= SPEED_WINDOW_MS) {
      this.#samples.shift();
    }
    const oldest = this.#samples[0];
    if (!oldest || atMs - oldest.atMs < SPEED_MIN_MS || bytes === oldest.bytes) return null;
    return ((bytes - oldest.bytes) * 1000) / (atMs - oldest.atMs);
  }
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
