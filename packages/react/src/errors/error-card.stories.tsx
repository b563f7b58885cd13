import type { TurnFailure } from '@ziggie/llm-client/conversation';
import { expect } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { createTestChat } from '../../test/test-chat.ts';
import { ZiggieProvider } from '../provider/ziggie-provider.tsx';
import { ErrorCard } from './error-card.tsx';

const { client, conversation } = createTestChat();

const meta = preview.meta({
  title: 'Error card',
  component: ErrorCard,
  args: { model: 'qwen3:14b', canAct: true },
  decorators: [
    (Story) => (
      <ZiggieProvider client={client} conversation={conversation}>
        <section className="zg story-panel" data-zg-scheme="light" aria-label="Chat">
          <Story />
        </section>
      </ZiggieProvider>
    ),
  ],
});

const failure = (code: string, more: Partial<TurnFailure> = {}): TurnFailure => ({
  code,
  message: '',
  retryable: true,
  requestId: 'req_01HZX3',
  ...more,
});

export const SignedOut = meta.story({ args: { failure: failure('unauthorized') } });
export const Forbidden = meta.story({ args: { failure: failure('forbidden', { retryable: false }) } });
export const ModelMissing = meta.story({ args: { failure: failure('model_not_found') } });
export const RateLimited = meta.story({
  args: { failure: { code: 'rate_limited', message: '', retryable: true, retryAt: Date.now() + 30_000 } },
  play: async ({ canvas }) => {
    await expect(canvas.getByText(/You can try again in/)).toBeVisible();
    await expect(canvas.getByRole('button', { name: 'Try again' })).toBeDisabled();
  },
});
export const QuotaUsedUp = meta.story({
  args: { failure: failure('quota_exceeded', { retryAt: Date.now() + 11_520_000 }) },
});
export const Busy = meta.story({ args: { failure: failure('queue_full') } });
export const Restarting = meta.story({ args: { failure: failure('shutting_down') } });
export const Unreachable = meta.story({
  args: { failure: failure('connect_failed', { requestId: undefined }) },
});
export const Truncated = meta.story({ args: { failure: failure('truncated') } });
export const ContextTooLong = meta.story({ args: { failure: failure('context_overflow') } });
export const OutOfMemory = meta.story({ args: { failure: failure('out_of_memory') } });
export const TimedOut = meta.story({ args: { failure: failure('idle_timeout') } });
export const OfANewerServer = meta.story({
  args: { failure: failure('invented_tomorrow', { retryable: false }) },
});
