/**
 * Milliseconds that a `Retry-After` header asks to wait: seconds, or a date of HTTP (RFC 9110, section 10.2.3). A date
 * in the past is 0; anything else is `undefined`.
 *
 * @param now What the date is compared with: the answer's own `Date` where it has one, so that a wrong clock on this
 *   side does not matter.
 */
export function parseRetryAfter(value: string | undefined, now: string | undefined): number | undefined {
  const text = value?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Dates of HTTP begin with the name of a day; Date.parse alone would take "-1" or "2".
  if (!/^[a-z]{3}/i.test(text)) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  const served = now === undefined ? Number.NaN : Date.parse(now);
  return Math.max(0, at - (Number.isNaN(served) ? Date.now() : served));
}
