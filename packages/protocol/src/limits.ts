/**
 * Sizes that both ends agree on. Each is a ceiling against a hostile or broken peer, far above honest use.
 */

/**
 * The longest single NDJSON record, in bytes of UTF-8 or UTF-16 units, whichever the reader counts: 16 MiB.
 *
 * Ollama's last `/api/generate` record carries the whole `context` array: 262,144 tokens print as 1.6 MB, and
 * Ollama's own Go client stops at 8 MB.
 */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** The most text one answer may hold before a reader gives up: 64 MiB. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** How deep JSON from outside may nest: 64 levels, more than any tool schema in the wild needs. */
export const MAX_JSON_DEPTH = 64;

/** Longest time between two bytes of a stream of ours, in milliseconds: a heartbeat fills longer silences. */
export const HEARTBEAT_INTERVAL_MS = 10_000;
