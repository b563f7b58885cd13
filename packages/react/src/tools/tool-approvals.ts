import type { Cell } from '@ziggie/llm-client/conversation';
import type { Approval, ToolInvocation } from '@ziggie/llm-client/tools';
import { createCell } from '../hooks/value-cell.ts';

/** Calls that wait for the reader's word. */
export interface ToolApprovals {
  /** The calls that wait, oldest first. */
  readonly waiting: Cell<readonly ToolInvocation[]>;
  /** Give it to `turnTools` or `runTools` as `approve`. Rejects when the run is stopped. */
  readonly ask: (call: ToolInvocation, context: { signal: AbortSignal }) => Promise<Approval>;
  /** Answers a call. Unknown ids do nothing. */
  readonly decide: (callId: string, approval: Approval) => void;
}

/** For a conversation of your own: `turnTools(tools, { approve: approvals.ask })` and `<ZiggieChat approvals={approvals}>`. */
export function createToolApprovals(): ToolApprovals {
  const waiting = createCell<readonly ToolInvocation[]>([]);
  const deciders = new Map<string, (approval: Approval) => void>();
  return {
    waiting,
    decide: (callId, approval) => deciders.get(callId)?.(approval),
    async ask(call, { signal }) {
      signal.throwIfAborted();
      let leave = () => {};
      try {
        return await new Promise<Approval>((resolve, reject) => {
          const onAbort = () => reject(signal.reason);
          signal.addEventListener('abort', onAbort, { once: true });
          leave = () => signal.removeEventListener('abort', onAbort);
          deciders.set(call.id, resolve);
          waiting.set([...waiting.get(), call]);
        });
      } finally {
        leave();
        deciders.delete(call.id);
        waiting.set(waiting.get().filter((other) => other !== call));
      }
    },
  };
}
