/** Numbers as people read them. */
export interface Format {
  /** `3,214` */
  count(value: number): string;
  /** `40 ms`, `0.4 s`, `12 s`, `3 min 20 s`, `3 h 12 min`: tenths below one second only, or when `exact` below ten. */
  duration(ms: number, exact?: boolean): string;
  /** `38`, below ten with a tenth. */
  rate(value: number): string;
  /** `9.8 GB`, in powers of 1000. */
  bytes(value: number): string;
  /** Of wall time in ms: `14:05`, with the day when that is not today. */
  time(at: number): string;
  /** Of wall time in ms: `October 2026`. */
  month(at: number): string;
}

/** Formats for a BCP 47 language; the environment's own when it is left out. An unknown one falls back to that. */
export function createFormat(locale: string | undefined): Format {
  const language = supported(locale);
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  // The symbols are the same in every language; a line never breaks before one.
  const seconds = (value: number, format = whole) => `${format.format(value)}\u00a0s`;
  const minutes = (value: number) => `${whole.format(value)}\u00a0min`;
  const hours = (value: number) => `${whole.format(value)}\u00a0h`;
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
  const dated = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  return {
    time: (at) => {
      const isToday = new Date(at).toDateString() === new Date().toDateString();
      return (isToday ? clock : dated).format(at);
    },
    month: (at) => new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric' }).format(at),
    count: (value) => whole.format(value),
    rate: (value) => (value < 10 ? tenth : whole).format(value),
    bytes: (value) =>
      value < 1e9 ? `${whole.format(value / 1e6)}\u00a0MB` : `${tenth.format(value / 1e9)}\u00a0GB`,
    duration: (ms, exact = false) => {
      if (ms < 95) return `${whole.format(Math.max(0, ms))}\u00a0ms`;
      if (ms < 1_000 || (exact && ms < 9_950)) return seconds(ms / 1_000, tenth);
      const total = Math.round(ms / 1_000);
      if (total < 60) return seconds(total);
      const parts =
        total < 3_600
          ? [minutes(Math.floor(total / 60)), total % 60 > 0 ? seconds(total % 60) : '']
          : [
              hours(Math.floor(total / 3_600)),
              total % 3_600 >= 60 ? minutes(Math.floor((total % 3_600) / 60)) : '',
            ];
      return parts.filter((part) => part !== '').join(' ');
    },
  };
}

function supported(locale: string | undefined): string | undefined {
  try {
    return locale !== undefined && Intl.NumberFormat.supportedLocalesOf(locale).length > 0
      ? locale
      : undefined;
  } catch {
    return undefined;
  }
}
