import { expect, test } from 'vitest';
import { exposition } from './exposition.ts';
import { Counter, Histograms } from './series.ts';

test('metrics are written as Prometheus reads them', () => {
  const counter = new Counter('a_total', 'Of a.', ['model', 'how']);
  counter.add(2, 'm"1\\\n', 'x');
  counter.add(1, 'm"1\\\n', 'x');
  const histograms = new Histograms('b_seconds', 'Of b.', [0.5, 1], ['model']);
  for (const value of [0.1, 0.5, 0.7, 9]) histograms.observe(value, 'm');
  const gauge = { name: 'c', help: 'Of c.', type: 'gauge', samples: [[{}, Number.NaN]] } as const;
  expect(exposition([counter.family, histograms.family, gauge])).toBe(
    [
      '# HELP a_total Of a.',
      '# TYPE a_total counter',
      'a_total{model="m\\"1\\\\\\n",how="x"} 3',
      '# HELP b_seconds Of b.',
      '# TYPE b_seconds histogram',
      'b_seconds_bucket{model="m",le="0.5"} 2',
      'b_seconds_bucket{model="m",le="1"} 3',
      'b_seconds_bucket{model="m",le="+Inf"} 4',
      'b_seconds_sum{model="m"} 10.3',
      'b_seconds_count{model="m"} 4',
      '# HELP c Of c.',
      '# TYPE c gauge',
      'c NaN',
      '',
    ].join('\n'),
  );
});

test('a series without a value yet has no sample, and its kind is known', () => {
  expect(exposition([new Counter('a_total', 'Of a.').family])).toBe(
    '# HELP a_total Of a.\n# TYPE a_total counter\n',
  );
  expect(exposition([new Histograms('b', 'Of b.', [1]).family])).toContain('# TYPE b histogram');
});
