/** What a wall clock shows, as if it were UTC, in ms since 1970. */
export function localTime(instantMs: number, timeZone: string): number {
  return instantMs + offsetOf(instantMs, timeZone);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the wall clocks of a zone are ahead of UTC at an instant, in ms. Whole seconds; minutes since 1972. */
export function offsetOf(instantMs: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(instantMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1000) * 1000;
}

/** Whether a name is a time zone that this machine knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * The first instant at which the wall clocks of a zone show a time or a later one: where clocks are put forward over it,
 * the moment they are; where they show it twice, the first time.
 */
export function instantOf(localMs: number, timeZone: string): number {
  const dayMs = 86_400_000;
  const offsets = [offsetOf(localMs - dayMs, timeZone), offsetOf(localMs + dayMs, timeZone)];
  const exact = offsets
    .map((offset) => localMs - offset)
    .filter((instant) => localTime(instant, timeZone) === localMs);
  if (exact.length > 0) return Math.min(...exact);
  return changeBetween(localMs - Math.max(...offsets), localMs - Math.min(...offsets), timeZone);
}

/** The instant between two at which the offset becomes that of the second. */
export function changeBetween(beforeMs: number, afterMs: number, timeZone: string): number {
  const wanted = offsetOf(afterMs, timeZone);
  let [low, high] = [beforeMs, afterMs];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetOf(middle, timeZone) === wanted) high = middle;
    else low = middle;
  }
  return high;
}
