import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const folder = new URL('.', import.meta.url);
const sheet = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const tokens = (block: string) =>
  new Map(
    [...block.matchAll(/--zg-([a-z0-9-]+): (#[0-9a-f]{3,6});/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
const [light = '', dark = '', auto = ''] = sheet('tokens.css').split(
  /\.zg\[data-zg-scheme="(?:dark|auto)"\]/,
);

function luminance(hex: string): number {
  const full = hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex;
  const parts = [1, 3, 5].map((at) => Number.parseInt(full.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const pairs: [string, string, number][] = [
  ...['text', 'text-2', 'text-3'].flatMap((text) =>
    ['bg', 'surface-1', 'surface-2'].map((ground): [string, string, number] => [text, ground, 4.5]),
  ),
  ['accent-text', 'bg', 4.5],
  ['accent-fg', 'accent', 4.5],
  ['danger', 'danger-soft', 4.5],
  ['warn', 'warn-soft', 4.5],
  ['text', 'danger-soft', 4.5],
  ['focus', 'bg', 3],
  ['border-strong', 'bg', 3],
  ['ok', 'bg', 3],
];

describe('tokens.css', () => {
  for (const [scheme, block] of Object.entries({ light, dark })) {
    it.each(pairs)(`gives ${scheme} %s on %s a contrast of %s`, (text, ground, least) => {
      const found = tokens(block);
      expect(contrast(found.get(text) ?? '#fff', found.get(ground) ?? '#fff')).toBeGreaterThanOrEqual(least);
    });
  }

  it('has one dark scheme, chosen or by the system', () => {
    expect(tokens(dark).size).toBeGreaterThan(20);
    expect(tokens(auto)).toEqual(tokens(dark));
  });
});

describe('styles', () => {
  const sheets = readdirSync(folder).filter((name) => name.endsWith('.css') && name !== 'styles.css');
  it.each(sheets)('%s reaches nothing outside of .zg and has no left or right', (name) => {
    const css = sheet(name).replace(/\/\*[\s\S]*?\*\//g, '');
    const selectors = [...css.matchAll(/(?:^|[{}])\s*([^{}@;]+)\{/g)].map(([, selector = '']) =>
      selector.trim(),
    );
    expect(selectors.length).toBeGreaterThan(0);
    for (const selector of selectors) {
      if (/^(?:from|to|\d+%)$/.test(selector)) continue;
      expect(selector).toMatch(/^\.zg\b/);
    }
    expect(css).not.toMatch(
      /(?:margin|padding|border|inset)-(?:left|right)|(?:^|[;{\s])(?:left|right)\s*:|!important|:root/,
    );
  });
});
