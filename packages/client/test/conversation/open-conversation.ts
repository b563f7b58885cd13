import { createManualClock } from '@ziggie/llm-testing';
import { createConversation } from '../../src/conversation/create-conversation.ts';
import { later } from '../../src/conversation/fetch-later.ts';
import type { Conversation, ConversationOptions } from '../../src/conversation/types.ts';
import { createScriptedClient, type ScriptedClient } from './scripted-client.ts';

// As in a page that was idle for a moment; what is done before that has tests of its own.
await later();

/** A conversation whose client, frames, time and ids the test holds in its hand. */
export interface OpenConversation {
  conversation: Conversation;
  client: ScriptedClient;
  clock: ReturnType<typeof createManualClock>;
  /** Draws the frame that was asked for; returns whether one was. */
  frame(): boolean;
  /** How many frames were asked for so far. */
  framesAsked(): number;
}

export const WALL_START = 1_700_000_000_000;

/** Ids are `m1`, `m2`, …; wall time starts at {@link WALL_START} and moves with the clock. */
export function openConversation(options: Partial<ConversationOptions> = {}): OpenConversation {
  const client = createScriptedClient();
  const clock = createManualClock();
  let publish: (() => void) | null = null;
  let asked = 0;
  let ids = 0;
  const conversation = createConversation({
    client,
    model: 'm',
    clock,
    wallNow: () => WALL_START + clock.now(),
    createId: () => `m${++ids}`,
    schedule(callback) {
      asked++;
      publish = callback;
    },
    ...options,
  });
  return {
    conversation,
    client,
    clock,
    frame() {
      const due = publish;
      publish = null;
      due?.();
      return due !== null;
    },
    framesAsked: () => asked,
  };
}

/** One turn of the event loop: every promise that can settle has done so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** The shown branch as `role: text`, with the end of an answer that did not complete. */
export function shown(conversation: Conversation): string[] {
  return conversation.messageIds.get().map((id) => {
    const node = conversation.message(id).get();
    const end = node?.end === undefined || node.end.kind === 'complete' ? '' : ` (${node.end.kind})`;
    return `${node?.role}: ${node?.text}${end}`;
  });
}
