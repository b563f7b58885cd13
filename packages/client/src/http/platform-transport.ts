import { fetchTransport } from './fetch-transport.ts';

/** Browsers, workers, edge: the global `fetch`, looked up at each call so that a page may replace it. */
export const platformTransport = fetchTransport((input, init) => globalThis.fetch(input, init));
