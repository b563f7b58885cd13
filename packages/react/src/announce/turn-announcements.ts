import type { MessageNode } from '@ziggie/llm-client/conversation';
import { describeFailure } from '../errors/describe-failure.ts';
import type { Text } from '../text/text-context.ts';
import type { Announce } from './announce-context.ts';

/** How long a phase lasts before it is worth a word. */
export const PHASE_WORTH_MS = 2_000;

/** Phases spoken in one turn. Together with its end that is at most four changes of the regions. */
export const MAX_PHASES = 3;

/** The most of an answer that is read out; the rest is a message like any other. */
const MAX_SPOKEN = 600;

/** Says how a turn ended: the answer once, or what failed. */
export function announceEnd(message: MessageNode, announce: Announce, text: Text): void {
  const { strings } = text;
  const { end } = message;
  if (end === undefined) return;
  if (end.kind === 'failed') {
    const { title, line } = describeFailure(end.failure, message.model ?? null, Date.now(), text);
    announce(`${title}. ${line}`, { assertive: true });
  } else if (end.kind === 'stopped') {
    announce(strings.announceStopped);
  } else {
    announce(spokenAnswer(message.text, text));
  }
}

/** An answer as it is read out: without marks that would be spelled, cut at a word. */
export function spokenAnswer(markdown: string, { strings }: Text): string {
  const words = markdown
    .slice(0, MAX_SPOKEN * 3)
    .replace(/[`*#>|~]+|(?<=\s|^)[-_]+(?=\s)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (words === '') return strings.announceEmpty;
  if (words.length <= MAX_SPOKEN) return strings.announceFinished(words);
  const cut = words.slice(0, words.lastIndexOf(' ', MAX_SPOKEN));
  return strings.announceCut(strings.announceFinished(cut));
}
