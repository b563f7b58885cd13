import preview from '../../../../.storybook/preview.tsx';
import type { RichTextPlugins } from '../plugins/plugin-types.ts';
import { RichTextProvider } from '../plugins/rich-text-context.tsx';
import { Markdown } from './markdown.tsx';

const plugins: RichTextPlugins = {
  code: () => import('../plugin-code.ts').then((module) => module.codePlugin),
  math: () => import('../plugin-math.ts').then((module) => module.mathPlugin),
};

const drawing: RichTextPlugins = {
  ...plugins,
  diagram: () => import('../plugin-mermaid.ts').then((module) => module.mermaidPlugin),
};

interface RichTextStoryProps {
  text: string;
  given?: RichTextPlugins | undefined;
  streaming?: boolean | undefined;
  cutOff?: boolean | undefined;
}

function RichTextStory({ text, given = plugins, streaming, cutOff }: RichTextStoryProps) {
  return (
    <div className="zg" data-zg-scheme="auto">
      <div className="zg-log">
        <div className="zg-column">
          <RichTextProvider plugins={given}>
            <Markdown text={text} streaming={streaming} cutOff={cutOff} />
          </RichTextProvider>
        </div>
      </div>
    </div>
  );
}

const meta = preview.meta({ title: 'Rich text', component: RichTextStory });

const code = `Keep one timer for each request, and clear it in one place:

\`\`\`ts
/** How long to wait before the next attempt, in milliseconds. */
export function nextDelayMs(attempt: number, random: () => number): number {
  const limit = Math.min(8_000, 250 * 2 ** attempt); // full jitter
  return random() * limit;
}
\`\`\`

\`\`\`diff
- const delay = 1000;
+ const delay = nextDelayMs(attempt, Math.random);
\`\`\``;

/** Code in several languages. */
export const Code = meta.story({ args: { text: code } });

/** Formulas in a line and on lines of their own, and amounts of money that are none. */
export const Formulas = meta.story({
  args: {
    text: `The model reads $n$ tokens at $r$ tokens per second, so the first one comes after $t = \\frac{n}{r}$.

$$
T = T_{\\text{load}} + \\frac{n_{\\text{in}}}{r_{\\text{prefill}}} + \\sum_{i=1}^{n_{\\text{out}}} \\frac{1}{r_i}
$$

One card costs between $1,600 and $2,000, and a rented one about $0.40 an hour.`,
  },
});

/** A table with buttons that copy it. */
export const Table = meta.story({
  args: {
    text: '| Readers | First token | Rate |\n|:--|--:|--:|\n| 1 | 0.4 s | 38 tok/s |\n| 4 | 0.9 s | 29 tok/s |\n| 16 | 4.1 s | 11 tok/s |',
  },
});

const settings = `| # | Setting | Default | Meaning |
|---|---|---|---|
| 1 | \`OLLAMA_NUM_PARALLEL\` | \`4\` | How many answers one model writes at a time. |
| 2 | \`OLLAMA_KEEP_ALIVE\` | \`5m\` | How long a model stays in memory after its last answer, \`-1\` for ever. |
| 3 | \`OLLAMA_MAX_LOADED_MODELS\` | \`3\` | How many models are in memory at a time, as long as there is`;

/** Columns as wide as the head and the first row want. */
export const TableOfWords = meta.story({ args: { text: `${settings} room. |` } });

/** The same while it is written: rows that come move no column. */
export const TableGrowing = meta.story({ args: { text: settings, streaming: true } });

/** An answer that was stopped in the middle of a mark: the words, without it. */
export const CutOff = meta.story({
  args: { text: 'One card serves about twenty people, **when their questions come', cutOff: true },
});

/** A diagram that was drawn, with its source at hand. */
export const Diagram = meta.story({
  args: {
    text: 'A token goes this way:\n\n```mermaid\nflowchart LR\n  model[Model] --> kit[Server kit] --> client[Client] --> page[Page]\n```',
    given: drawing,
  },
});

/** An image that a model named loads only when the reader asks. */
export const Image = meta.story({
  args: { text: 'Memory over time: ![the last hour](https://plots.example/vram.png)' },
});
