import preview from '../../../../.storybook/preview.tsx';
import { PhaseLine } from './status-line.tsx';

const meta = preview.meta({
  title: 'Status line',
  component: PhaseLine,
  args: { onCancel: () => {} },
  decorators: [
    (Story) => (
      <section className="zg story-panel" data-zg-scheme="light" aria-label="Chat">
        <Story />
      </section>
    ),
  ],
});

export const Connecting = meta.story({ args: { phase: { kind: 'connecting' } } });
export const Queued = meta.story({ args: { phase: { kind: 'queued', position: 3, of: 5, etaMs: 12_000 } } });
export const QueuedNext = meta.story({
  args: { phase: { kind: 'queued', position: 1, of: 5, etaMs: 4_000 } },
});
export const QueuedWithoutEstimate = meta.story({
  args: { phase: { kind: 'queued', position: 12, of: 12, etaMs: null } },
});
export const Loading = meta.story({
  args: {
    phase: {
      kind: 'loading',
      model: 'qwen3:14b',
      startedAt: Date.now() - 7_000,
      typicalMs: 11_000,
    },
  },
});
export const LoadingForTheFirstTime = meta.story({
  args: {
    phase: {
      kind: 'loading',
      model: 'qwen3:14b',
      startedAt: Date.now() - 7_000,
      typicalMs: null,
    },
  },
});
export const LoadingLongerThanUsual = meta.story({
  args: {
    phase: {
      kind: 'loading',
      model: 'qwen3:14b',
      startedAt: Date.now() - 30_000,
      typicalMs: 11_000,
    },
  },
});
export const Reading = meta.story({
  args: { phase: { kind: 'reading', startedAt: Date.now() }, counts: { prompt: 3_214 } },
});
export const Thinking = meta.story({ args: { phase: { kind: 'thinking', startedAt: Date.now() - 4_000 } } });
export const Tool = meta.story({ args: { phase: { kind: 'tool', callId: '1', name: 'search_files' } } });
export const Writing = meta.story({
  args: { phase: { kind: 'writing', startedAt: Date.now(), tokens: 61, tokensPerSecond: 38.2 } },
});
export const Reconnecting = meta.story({
  args: {
    phase: { kind: 'reconnecting', attempt: 2, maxAttempts: 5, nextTryAt: Date.now() + 60_000 },
    counts: { kept: 182 },
  },
});
export const Stopping = meta.story({ args: { phase: { kind: 'stopping' } } });
