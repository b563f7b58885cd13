import { Histogram } from './histogram.ts';

/** Labels of one sample, by name. */
export type Labels = Readonly<Record<string, string>>;

/** One metric with all its samples. */
export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  samples: readonly (readonly [Labels, number | Histogram])[];
}

/** The content type of {@link exposition}. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Metrics as Prometheus reads them.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function exposition(families: readonly Family[]): string {
  return families
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(([labels, value]) =>
        value instanceof Histogram ? histogramLines(name, labels, value) : line(name, labels, value),
      );
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function histogramLines(name: string, labels: Labels, { bounds, counts, sum }: Histogram): string {
  let total = 0;
  let text = '';
  for (const [at, count] of counts.entries()) {
    total += count;
    text += line(
      `${name}_bucket`,
      { ...labels, le: at < bounds.length ? String(bounds[at]) : '+Inf' },
      total,
    );
  }
  return text + line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, total);
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberOf(value)}\n`;
}

function numberOf(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
