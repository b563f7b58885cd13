import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createServerKit, type ServerKitOptions } from '../src/index.ts';

const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The options that the first column of a table names, in full: `.coalesce` stands beside the one before it. */
function namedIn(heading: string, within: string): string[] {
  const table = page.slice(page.indexOf(heading)).split('\n\n')[0] ?? '';
  return table.split('\n').flatMap((row) => {
    const [first = ''] = row.split('|').slice(1);
    let parent = '';
    return [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
      if (name.startsWith('.')) return `${parent}${name}`;
      const path = `${within}${name}`;
      parent = path.slice(0, path.lastIndexOf('.'));
      return path;
    });
  });
}

const named = [
  ...namedIn('| option | default | |\n', ''),
  ...namedIn('| option of `sockets` |', 'sockets.').filter((path) => path !== 'sockets.sockets'),
];

/** What the kit says to something impossible at this place. */
function saidTo(path: string): string {
  const options: Record<string, unknown> = { doctor: false, upstreams: [{ url: 'http://127.0.0.1:1' }] };
  const keys = path.replace('[]', '.0').split('.');
  const last = keys.pop() as string;
  let place: Record<string, unknown> = options;
  for (const key of keys) {
    place[key] ??= {};
    place = place[key] as Record<string, unknown>;
  }
  place[last] = Symbol('nothing that an option can be');
  try {
    createServerKit(options as unknown as ServerKitOptions);
  } catch (thrown) {
    return String(thrown);
  }
  return '';
}

describe('the options of the README', () => {
  test('are many', () => {
    expect(named.length).toBeGreaterThan(70);
    expect(saidTo('sockets.unheardOf')).toContain('Unrecognized key: "unheardOf"');
  });

  test.each(named)('%s is one, and is looked at', (path) => {
    const said = saidTo(path);
    expect(said).toContain('the options are not valid');
    expect(said).not.toContain('Unrecognized key');
  });
});
