import type { MessageNode } from '@ziggie/llm-client/conversation';

/** Characters on a line of a column, and the height of a line with its share of space between blocks. Near enough. */
const LINE_CHARACTERS = 84;
const LINE_PX = 26;
/** Space around a message, with the line under it. */
const FRAME_PX = 72;

/** About how high a message is that was never on the page, in pixels. */
export function estimateHeight(message: MessageNode | undefined): number {
  if (message === undefined) return FRAME_PX;
  const breaks = message.text.split('\n', 400).length;
  return FRAME_PX + LINE_PX * Math.max(breaks, Math.ceil(message.text.length / LINE_CHARACTERS));
}
