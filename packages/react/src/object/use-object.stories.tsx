import { say, slow, stall } from '@ziggie/llm-testing';
import { type ReactElement, useEffect } from 'react';
import { expect, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryPart } from '../../test/story-part.tsx';
import { StructuredData } from '../data/lazy-structured-data.tsx';
import { useObject } from './use-object.ts';

/** A schema without a library: what the hook needs of one. */
const cards = {
  '~standard': {
    version: 1,
    vendor: 'stories',
    validate: (value: unknown) => ({ value: value as { title: string; cards: { name: string }[] } }),
  },
} as const;
const jsonSchema = { type: 'object', properties: { title: { type: 'string' } } };

function Cards(): ReactElement {
  const { partial, object, status, submit, stop } = useObject({ schema: cards, jsonSchema });
  useEffect(() => void submit('Which cards are there?'), [submit]);
  return (
    <>
      <p>{status}</p>
      <StructuredData value={object ?? partial} label="Cards" />
      <button type="button" className="zg-button-plain" onClick={stop}>
        Stop
      </button>
    </>
  );
}

const meta = preview.meta({ title: 'useObject', component: StoryPart });

/** Half of it is there; a table grows row by row. */
export const BeingWritten = meta.story({
  args: {
    chat: {
      scripts: [
        [
          slow(400),
          say('{"title":"Cards in the rack","cards":[{"name":"4090","memory":24},{"name":"A1'),
          stall(),
        ],
      ],
    },
    children: <Cards />,
  },
  play: async ({ canvasElement }) => {
    await expect(await within(canvasElement).findByText('4090', {}, { timeout: 5000 })).toBeInTheDocument();
    await expect(within(canvasElement).getByText('running')).toBeInTheDocument();
  },
});

/** Whole and checked. */
export const Whole = meta.story({
  args: {
    chat: {
      scripts: [
        [
          say(
            '{"title":"Cards in the rack","cards":[{"name":"4090","memory":24},{"name":"A10","memory":24}]}',
          ),
        ],
      ],
    },
    children: <Cards />,
  },
  play: async ({ canvasElement }) => {
    await expect(await within(canvasElement).findByText('done', {}, { timeout: 5000 })).toBeInTheDocument();
    await expect(await within(canvasElement).findByText('A10')).toBeInTheDocument();
  },
});
