import { commands } from 'vitest/browser';

/** One attack of the list. */
export interface AttackString {
  id: string;
  source: string;
  markdown: string;
}

interface AttackFile {
  cases: AttackString[];
  derived_cases: AttackString[];
  allow: (AttackString & { must_keep: string })[];
}

/** Markdown that must not run or leak anything, from public lists; `null` where the folder is missing. */
export async function readAttackStrings(): Promise<{
  attacks: AttackString[];
  allowed: AttackFile['allow'];
} | null> {
  const text = await commands.readShared('corpora/xss-markdown.json');
  if (text === null) return null;
  const { cases, derived_cases, allow } = JSON.parse(text) as AttackFile;
  return { attacks: [...cases, ...derived_cases], allowed: allow };
}

/** Ends of at most `most` prefixes of a text to show while it streams, on code-point boundaries. */
export function streamedEnds(text: string, most: number): number[] {
  const ends: number[] = [];
  let at = 0;
  for (const char of text) {
    at += char.length;
    if (at < text.length) ends.push(at);
  }
  if (ends.length <= most) return ends;
  return Array.from(
    { length: most },
    (_, index) => ends[Math.floor(((index + 1) * ends.length) / (most + 1))] ?? 1,
  );
}
