import { commands } from 'vitest/browser';

/** A text of the list of costly markdown: how to build it at any size. */
export interface PathologicalText {
  id: string;
  kind: 'repeat' | 'staircase' | 'growing' | 'refs' | 'table';
  prefix: string;
  unit: string;
  mid: string;
  unit2: string;
  suffix: string;
}

/** Costly markdown from public lists; `null` where the folder is missing. */
export async function readPathological(): Promise<PathologicalText[] | null> {
  const text = await commands.readShared('corpora/markdown-pathological.json');
  if (text === null) return null;
  const { cases } = JSON.parse(text) as {
    cases: (Partial<PathologicalText> & Pick<PathologicalText, 'id' | 'kind'>)[];
  };
  const empty = { prefix: '', unit: '', mid: '', unit2: '', suffix: '' };
  return cases.map((found) => ({ ...empty, ...found }));
}

/** Builds a text of about `size` characters. */
export function buildPathological(text: PathologicalText, size: number): string {
  switch (text.kind) {
    case 'repeat': {
      const unit = text.unit.length + text.unit2.length;
      const fixed = text.prefix.length + text.mid.length + text.suffix.length;
      const count = unit === 0 ? 0 : Math.floor((size - fixed) / unit);
      return text.prefix + text.unit.repeat(count) + text.mid + text.unit2.repeat(count) + text.suffix;
    }
    case 'staircase':
      return grow(size, (line) => text.unit.repeat(line) + text.suffix);
    case 'growing':
      return grow(size, (line) => text.prefix + text.unit.repeat(line + 1));
    case 'refs': {
      const half = grow(size / 2, (line) => text.unit.replace('{k}', String(line)));
      return half + grow(size / 2, (line) => text.suffix.replace('0', String(line)));
    }
    case 'table': {
      const columns = Math.floor(size / 20 / 3);
      const row = (cell: string) => `|${`${cell}|`.repeat(columns)}\n`;
      return row('a') + row('-') + row('1').repeat(18);
    }
  }
}

function grow(size: number, piece: (index: number) => string): string {
  let built = '';
  for (let index = 0; built.length < size; index += 1) built += piece(index);
  return built;
}
