import { cut, error, say, stall, think } from '@ziggie/llm-testing';
import { expect, waitFor } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryChat } from '../../test/story-chat.tsx';
import { recordOf } from '../../test/test-chat.ts';
import { answer, arabicAnswer, arabicQuestion, longAnswer, question, thoughts } from '../../test/texts.ts';

const models = [
  {
    name: 'qwen3:14b',
    capabilities: ['completion', 'tools', 'thinking'],
    family: 'qwen3',
    parameterSize: '14.8B',
    quantization: 'Q4_K_M',
    sizeBytes: 9_276_198_565,
  },
  {
    name: 'llama3.2:3b',
    capabilities: ['completion', 'tools'],
    family: 'llama',
    parameterSize: '3.2B',
    quantization: 'Q4_K_M',
    sizeBytes: 2_019_393_189,
  },
  {
    name: 'gemma3:27b',
    capabilities: ['completion', 'vision'],
    family: 'gemma3',
    parameterSize: '27.4B',
    quantization: 'Q4_K_M',
    sizeBytes: 17_396_936_941,
  },
];
const model = 'qwen3:14b';
const starters = ['Explain yesterday’s GPU spike', 'Summarise a file', 'Write a SQL query'];
const saved = recordOf([question, answer], { model });

const meta = preview.meta({
  title: 'Chat',
  component: StoryChat,
  args: { starters, footnote: 'Answers come from models on your own hardware. Check what matters.' },
});

/** Nothing was said yet. */
export const Empty = meta.story({ args: { chat: { models, model } } });

/** One question and its answer, as they come back from storage. */
export const Answered = meta.story({ args: { chat: { models, model, record: saved } } });

/** A second answer is being written. */
export const Streaming = meta.story({
  args: {
    chat: {
      models,
      model,
      record: saved,
      scripts: [
        [
          say(
            'Then the view must not move. Release the pin on the first upward wheel, touch or key event, not after a distance, and show a quiet “jump to latest” pill',
          ),
          stall(),
        ],
      ],
    },
  },
  play: async ({ canvas, userEvent }) => {
    await canvas.findByText('Measured with', { exact: false });
    await userEvent.type(canvas.getByRole('textbox'), 'And if the user scrolls up while it writes?{Enter}');
    await canvas.findByText('jump to latest', { exact: false });
    await expect(canvas.getByRole('button', { name: 'Stop' })).toBeVisible();
    await waitFor(() => expect(canvas.getByText(/^Writing/)).toBeVisible());
  },
});

/** Every kind of block. */
export const LongAnswer = meta.story({
  args: { chat: { models, model, record: recordOf(['What happens to a token?', longAnswer], { model }) } },
});

/** The model thinks: two lines show the newest. */
export const ThinkingLive = meta.story({
  args: { chat: { models, model, scripts: [[think(thoughts), stall()]] }, ask: question },
  play: async ({ canvas }) => {
    await canvas.findByText('Thinking', { exact: false });
  },
});

/** The thinking is over: one line that opens. */
export const ThinkingDone = meta.story({
  args: { chat: { models, model, scripts: [[think(thoughts), say(answer)]] }, ask: question },
  play: async ({ canvas, userEvent }) => {
    const fold = await canvas.findByRole('button', { name: /^Thought/ });
    await userEvent.click(fold);
    await expect(fold).toHaveAttribute('aria-expanded', 'true');
    await expect(canvas.getByText(thoughts)).toBeVisible();
  },
});

/** The answer was stopped. Its words stay. */
export const Stopped = meta.story({
  args: {
    chat: { models, model, scripts: [[say('Keep one store cell per message, and let only'), stall()]] },
    ask: question,
  },
  play: async ({ canvas, userEvent }) => {
    await canvas.findByText('Keep one store', { exact: false });
    canvas.getByRole('button', { name: 'Stop' }).focus();
    await userEvent.keyboard('{Enter}');
    await canvas.findByRole('button', { name: 'Answer again' });
  },
});

/** The server went away while it wrote. */
export const ConnectionLost = meta.story({
  args: {
    chat: {
      models,
      model,
      scripts: [[say('Keep one store cell per message, and let only the last block'), cut()]],
    },
    ask: question,
  },
  play: async ({ canvas }) => {
    await canvas.findByRole('group', { name: 'The connection was lost' });
  },
});

/** The picked model is gone: the card's button opens the list. */
export const ModelMissing = meta.story({
  args: {
    chat: { models, model, scripts: [[error('model "qwen3:14b" not found', { status: 404 })]] },
    ask: question,
  },
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(await canvas.findByRole('button', { name: 'Pick another model' }));
    await expect(await canvas.findByRole('listbox')).toHaveFocus();
  },
});

/** Size, precision and load of each model. */
export const PickerOpen = meta.story({
  args: { chat: { models, model, record: saved } },
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(canvas.getByRole('button', { name: /^Model/ }));
    await waitFor(() => expect(canvas.getAllByRole('option')).toHaveLength(3));
    await userEvent.keyboard('l');
    await expect(canvas.getByRole('listbox')).toHaveAttribute(
      'aria-activedescendant',
      expect.stringMatching(/-1$/),
    );
  },
});

/** The page reads from right to left; code does not. */
export const RightToLeft = meta.story({
  args: { dir: 'rtl', chat: { models, model, record: recordOf([arabicQuestion, arabicAnswer], { model }) } },
});

export const DarkEmpty = meta.story({ args: { scheme: 'dark', chat: { models, model } } });
export const DarkAnswered = meta.story({ args: { scheme: 'dark', chat: { models, model, record: saved } } });
export const DarkLongAnswer = LongAnswer.extend({ args: { scheme: 'dark' } });
export const DarkConnectionLost = ConnectionLost.extend({ args: { scheme: 'dark' } });
export const DarkPickerOpen = PickerOpen.extend({ args: { scheme: 'dark' } });

export const NarrowEmpty = meta.story({ args: { narrow: true, chat: { models, model } } });
export const NarrowAnswered = meta.story({ args: { narrow: true, chat: { models, model, record: saved } } });
export const NarrowLongAnswer = LongAnswer.extend({ args: { narrow: true } });
export const NarrowConnectionLost = ConnectionLost.extend({ args: { narrow: true } });
