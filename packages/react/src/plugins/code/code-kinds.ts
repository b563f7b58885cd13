import type { CodeKind } from '../plugin-types.ts';

/** What highlight.js calls a piece → what it is for us. Names are the first part of its scopes (`title.function` → `title`). */
const kinds: Readonly<Record<string, CodeKind>> = {
  addition: 'added',
  attr: 'property',
  attribute: 'property',
  built_in: 'function',
  bullet: 'meta',
  char: 'string',
  class: 'type',
  code: 'string',
  comment: 'comment',
  deletion: 'removed',
  doctag: 'meta',
  keyword: 'keyword',
  link: 'string',
  literal: 'number',
  meta: 'meta',
  name: 'tag',
  number: 'number',
  property: 'property',
  quote: 'comment',
  regexp: 'string',
  section: 'keyword',
  'selector-attr': 'property',
  'selector-class': 'tag',
  'selector-id': 'tag',
  'selector-pseudo': 'function',
  'selector-tag': 'tag',
  string: 'string',
  symbol: 'string',
  tag: 'tag',
  'template-tag': 'meta',
  'template-variable': 'property',
  title: 'function',
  type: 'type',
  variable: 'property',
};

/** The kind behind the classes of a piece, `undefined` for what keeps the colour around it. */
export function kindOfClasses(classes: readonly unknown[]): CodeKind | undefined {
  // `hljs-title class_` and `hljs-title function_`: the second word is the finer one.
  if (classes.includes('class_')) return 'type';
  const name = String(classes[0] ?? '').replace(/^hljs-/, '');
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}
