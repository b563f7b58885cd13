/** Numbers in [0, 1) that depend on the seed only (mulberry32), so that a failing case can be run again. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const lines = [
  '',
  '',
  '',
  'A sentence of some words.',
  'Text with **bold**, *soft* and `code`.',
  '2. not a list under a paragraph',
  '1. first',
  '2) second',
  '10. tenth',
  '- item',
  '* star',
  '+ plus',
  '- [ ] task',
  '-',
  '  - nested',
  '    deeper text',
  '   three columns',
  '      six columns',
  '  second line',
  '\ttab',
  '- ```js',
  '  ```',
  '    ```py',
  '```',
  '```ts',
  '~~~',
  '````',
  'let x = 1;',
  '> quote',
  '> - quoted item',
  '> ```',
  '>',
  '  > nested quote',
  '# Heading',
  '### Third ###',
  '#not a heading',
  '---',
  '***',
  '- - -',
  '===',
  '| a | b |',
  '|---|:-:|',
  '| 1 | 2 |',
  'a | b',
  '--- | ---',
  '<div>',
  '</div>',
  '<!-- note',
  '-->',
  '<script>alert(1)</script>',
  '![image](https://host.example/a.png)',
  '[link](https://example.com "title")',
  'Line ends in a break  ',
  '\\# escaped',
  '   ',
];

/** A document of lines that mean something to markdown, in an order that nobody would write. */
export function randomDocument(random: () => number): string {
  const count = 1 + Math.floor(random() * 14);
  let text = '';
  for (let index = 0; index < count; index += 1) {
    text += lines[Math.floor(random() * lines.length)] ?? '';
    if (index < count - 1 || random() < 0.5) text += '\n';
  }
  return text;
}

/** A text in pieces of random length, as it would arrive. */
export function randomPieces(text: string, random: () => number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = 1 + Math.floor(random() * 12);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
