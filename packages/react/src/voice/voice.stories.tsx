import { expect, userEvent, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryChat } from '../../test/story-chat.tsx';
import type { VoiceAdapter, VoiceListener } from './voice-adapter.ts';

const meta = preview.meta({ title: 'Voice', component: StoryChat });

/** A recogniser that does what a story says. */
function recogniser(play: (listener: VoiceListener) => void): VoiceAdapter {
  return {
    isAvailable: () => true,
    listen(listener) {
      play(listener);
      return () => listener.onEnd('stopped');
    },
  };
}

const silent = recogniser(() => {});
const hears = recogniser((listener) => {
  listener.onFinal('How many people');
  listener.onInterim(' can share');
});
const denied = recogniser((listener) => listener.onEnd('denied'));
const gone = recogniser((listener) => listener.onEnd('unavailable'));

async function speak(canvasElement: HTMLElement): Promise<void> {
  await userEvent.click(await within(canvasElement).findByRole('button', { name: 'Speak' }));
}

/** A microphone beside what else can be added. */
export const Offered = meta.story({
  args: { voice: silent },
  play: async ({ canvasElement }) => {
    await expect(await within(canvasElement).findByRole('button', { name: 'Speak' })).toBeInTheDocument();
  },
});

/** What is heard stands in the message; the last words may still change. */
export const Listening = meta.story({
  args: { voice: hears },
  play: async ({ canvasElement }) => {
    await speak(canvasElement);
    const field = within(canvasElement).getByRole('textbox', { name: 'Message' });
    await expect(field).toHaveValue('How many people can share');
    await expect(within(canvasElement).getByRole('button', { name: 'Stop listening' })).toHaveAttribute(
      'aria-pressed',
      'true',
    );
  },
});

/** The reader, or the machine, does not allow the microphone. */
export const Denied = meta.story({
  args: { voice: denied },
  play: async ({ canvasElement }) => {
    await speak(canvasElement);
    await expect(canvasElement.querySelector('.zg-voice-trouble')).not.toBeEmptyDOMElement();
  },
});

/** The service that recognises cannot be reached, on a phone's width. */
export const Unavailable = meta.story({
  args: { voice: gone, narrow: true },
  play: async ({ canvasElement }) => {
    await speak(canvasElement);
    await expect(canvasElement.querySelector('.zg-voice-trouble')).not.toBeEmptyDOMElement();
  },
});
