import type { MessageNode, ToolUse } from '@ziggie/llm-client/conversation';

/** A piece of an answer: text, or the calls of one round of tools. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tools'; readonly uses: readonly ToolUse[] };

/** An answer in the order in which it was written. There is always a text at the end, maybe an empty one. */
export function segmentsOf({ text, toolCalls }: Pick<MessageNode, 'text' | 'toolCalls'>): Segment[] {
  const segments: Segment[] = [];
  let written = 0;
  for (const uses of roundsOf(toolCalls)) {
    const end = uses.at(-1)?.textAt ?? text.length;
    segments.push({ kind: 'text', text: text.slice(written, end) }, { kind: 'tools', uses });
    written = end;
  }
  segments.push({ kind: 'text', text: text.slice(written) });
  return segments;
}

function roundsOf(uses: readonly ToolUse[]): ToolUse[][] {
  const rounds: ToolUse[][] = [];
  for (const use of uses) {
    const current = rounds.at(-1);
    if (current !== undefined && current[0]?.round === use.round) current.push(use);
    else rounds.push([use]);
  }
  return rounds;
}
