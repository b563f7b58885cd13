import type { Conversation, MessageNode, RunPhase } from '@ziggie/llm-client/conversation';
import type { TokenCounts } from './describe-phase.ts';

/** Letters to a token, where nobody counted. */
const LETTERS = 4;

/**
 * What the model reads, or what of a broken answer is here: from the server's own counts as far as they go, and estimated
 * beyond. Looked up once per phase, not per token.
 */
export function countsFor(phase: RunPhase, conversation: Conversation): TokenCounts {
  if (phase.kind === 'reconnecting') {
    const id = conversation.runningId.get();
    const answer = id === null ? undefined : conversation.message(id).get();
    return { kept: answer === undefined ? 0 : lengthOf(answer) / LETTERS };
  }
  if (phase.kind !== 'reading') return {};
  const report = conversation.contextReport.get();
  if (report !== null) return { prompt: report.estimatedTokens };
  const branch = conversation.messageIds.get().flatMap((id) => conversation.message(id).get() ?? []);
  const asked = branch.filter(({ end, role }) => role !== 'assistant' || end !== undefined);
  const counted = asked.findLastIndex(({ usage }) => usage?.source === 'upstream');
  const usage = asked[counted]?.usage;
  const rest = asked.slice(counted + 1).reduce((sum, message) => sum + lengthOf(message), 0);
  return { prompt: (usage ? usage.inputTokens + usage.outputTokens : 0) + rest / LETTERS };
}

function lengthOf({ text, thinking, attachments = [] }: MessageNode): number {
  return attachments.reduce(
    (sum, attachment) => sum + (attachment.kind === 'file' ? attachment.text.length : 0),
    text.length + thinking.length,
  );
}
