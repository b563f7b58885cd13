import { expect, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryPart } from '../../test/story-part.tsx';
import { HistoryLoading } from './history-loading.tsx';

const meta = preview.meta({ title: 'History loading', component: StoryPart });

/** Shown once the wait for a saved conversation is noticed. */
export const Skeleton = meta.story({
  args: { children: <HistoryLoading /> },
  play: async ({ canvasElement }) => {
    await expect(await within(canvasElement).findByRole('status')).toBeInTheDocument();
  },
});
