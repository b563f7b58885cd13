/** Wall time as a clock's reading: the two parts keep the nanoseconds that one number could not hold. */
export interface WallTime {
  epochMs: number;
  /** 0 to 999,999. */
  extraNanoseconds: number;
}

/** RFC 3339 in UTC as Go prints it: up to nine decimals, trailing zeros cut. */
export function utcTimestamp(time: WallTime): string {
  return `${new Date(time.epochMs).toISOString().slice(0, 19)}${decimals(time)}Z`;
}

/** RFC 3339 in the machine's own zone, as Ollama prints the dates of models. */
export function localTimestamp(time: WallTime): string {
  const offsetMinutes = -new Date(time.epochMs).getTimezoneOffset();
  const local = new Date(time.epochMs + offsetMinutes * 60_000).toISOString().slice(0, 19);
  return `${local}${decimals(time)}${zone(offsetMinutes)}`;
}

function decimals({ epochMs, extraNanoseconds }: WallTime): string {
  const milliseconds = String(((epochMs % 1000) + 1000) % 1000).padStart(3, '0');
  const digits = `${milliseconds}${String(extraNanoseconds).padStart(6, '0')}`.replace(/0+$/, '');
  return digits === '' ? '' : `.${digits}`;
}

function zone(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z';
  const size = Math.abs(offsetMinutes);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
