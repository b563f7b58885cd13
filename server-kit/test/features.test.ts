import { expect, test } from 'vitest';
import { type Feature, routesAt, routeTable } from '../src/routes/route-table.ts';
import { startBench } from './harness.ts';

const pathOf = (path: string) =>
  path
    .replace(':id', 'x')
    .replace(':model', 'x')
    .replace(':digest', `sha256:${'a'.repeat(64)}`);

/** Where each of them is, by its addresses: a row there that belongs to nothing would stay when it is taken away. */
const addresses: Record<Feature, RegExp> = {
  modelAdmin: /^\/admin\/(?:models|jobs)(?:\/|$)/,
  metrics: /^\/metrics$/,
  sockets: /^\/ws(?:\/|$)/,
};

test.each([
  ['modelAdmin', { modelAdmin: false }],
  ['metrics', { metrics: false }],
  ['sockets', { sockets: { enabled: false } }],
] as const)(
  'without %s its rows of the table, and no others, are the host app’s',
  async (feature, options) => {
    const bench = await startBench(options);
    for (const { path, method, feature: own } of routeTable) {
      const isThere = (await bench.ask(pathOf(path), { token: null, method })) !== undefined;
      expect([path, isThere]).toEqual([path, own !== feature]);
      expect([path, own === feature]).toEqual([path, addresses[feature].test(path)]);
    }
  },
);

test('rows of one path are served or not together', () => {
  for (const { path } of routeTable) {
    expect(new Set(routesAt(pathOf(path)).map(({ feature }) => feature)).size).toBe(1);
  }
});
