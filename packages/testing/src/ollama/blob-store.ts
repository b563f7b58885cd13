import type { FakeClock } from '../types.ts';
import type { Layer } from './layers.ts';

interface Download {
  fromBytes: number;
  startedMs: number;
  watchers: number;
}

/**
 * The blobs on the stand-in's disk, and those on their way. One digest is downloaded once, however many ask for it; when
 * the last of them leaves, what has come stays, and the next download goes on from there.
 */
export class BlobStore {
  readonly #clock: FakeClock;
  readonly #bytesPerSecond: number;
  readonly #complete = new Map<string, { sizeBytes: number; isGguf: boolean }>();
  readonly #partial = new Map<string, number>();
  readonly #downloads = new Map<string, Download>();

  constructor(clock: FakeClock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  has(digest: string): boolean {
    return this.#complete.has(digest);
  }

  sizeOf(digest: string): number {
    return this.#complete.get(digest)?.sizeBytes ?? 0;
  }

  isGguf(digest: string): boolean {
    return this.#complete.get(digest)?.isGguf ?? false;
  }

  put(digest: string, sizeBytes: number, isGguf = true): void {
    this.#complete.set(digest, { sizeBytes, isGguf });
    this.#partial.delete(digest);
  }

  remove(digest: string): void {
    this.#complete.delete(digest);
  }

  /** Starts or joins a download; `leave` must be called once. */
  join({ digest, sizeBytes }: Layer): { startBytes: number; completedBytes(): number; leave(): void } {
    const running = this.#downloads.get(digest);
    const download = running ?? {
      fromBytes: this.#partial.get(digest) ?? 0,
      startedMs: this.#clock.now(),
      watchers: 0,
    };
    download.watchers++;
    this.#downloads.set(digest, download);
    const completedBytes = () => {
      // So much time times an infinite pace would be no number when no time has passed.
      if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return sizeBytes;
      const elapsedMs = this.#clock.now() - download.startedMs;
      const fetched = Math.floor((elapsedMs / 1000) * this.#bytesPerSecond);
      return Math.min(sizeBytes, download.fromBytes + fetched);
    };
    return {
      startBytes: running ? completedBytes() : download.fromBytes,
      completedBytes,
      leave: () => {
        download.watchers--;
        const bytes = completedBytes();
        if (bytes >= sizeBytes) this.put(digest, sizeBytes);
        else if (download.watchers === 0) this.#partial.set(digest, bytes);
        if (download.watchers === 0) this.#downloads.delete(digest);
      },
    };
  }
}
