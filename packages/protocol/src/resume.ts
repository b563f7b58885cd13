/**
 * Picking up a broken answer, the contract between a client and the kit:
 *
 * 1. A request on `/chat` or `/generate` with `resume: true` may be answered with a `start` whose `resumable` is true.
 *    From its first token on the run then outlives its connection, for the server's grace (30 s).
 * 2. `GET /streams/:id?after=<seq>`, `id` being that of `start`, answers like the first request would have gone on: the
 *    events whose `seq` is greater than `after`, in order and without gaps, then what the run says next, to its `done`
 *    or `error`. In every framing that the first request could have asked for. Any
 *    number of connections may read a run at once.
 * 3. 404 `not_found`: there is no such run for this caller, nothing of it comes after `after`, or that is no longer kept.
 *    Any other refusal is about the moment: come back.
 * 4. `DELETE /streams/:id` ends the run at once; 204, and 404 when there is nothing to end.
 */
export function streamPath(id: string, after?: number): string {
  return `/streams/${encodeURIComponent(id)}${after === undefined ? '' : `?after=${after}`}`;
}
