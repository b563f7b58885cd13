import type { Root } from 'mdast';
import { type Extension, fromMarkdown, type Options } from 'mdast-util-from-markdown';
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmAutolinkLiteral } from 'micromark-extension-gfm-autolink-literal';
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough';
import { gfmTable } from 'micromark-extension-gfm-table';
import { readReferences } from './character-references.ts';
import { limitedNames, limitMarks } from './limit-marks.ts';

type Handle = NonNullable<Extension['enter']>[string];

const enterAddress: Handle = function (token) {
  this.config.enter['autolinkProtocol']?.call(this, token);
};

/** An address that stands in the text without marks is a link. */
const bareAddresses: Extension = {
  enter: {
    literalAutolink(token) {
      this.enter({ type: 'link', title: null, url: '', children: [] }, token);
    },
    literalAutolinkHttp: enterAddress,
    literalAutolinkWww: enterAddress,
  },
  exit: {
    literalAutolink(token) {
      this.exit(token);
    },
    literalAutolinkHttp(token) {
      this.config.exit['autolinkProtocol']?.call(this, token);
    },
    literalAutolinkWww(token) {
      this.config.exit['data']?.call(this, token);
      const link = this.stack.at(-1);
      if (link?.type === 'link') link.url = `http://${this.sliceSerialize(token)}`;
    },
  },
};

const github = [gfmAutolinkLiteral(), gfmStrikethrough({ singleTilde: false })];

/** Bare addresses of mail are found in the words: looked for here, each letter might begin one. */
const options: Options = {
  extensions: [
    ...github.map(({ text: _, ...rest }) => rest),
    limitMarks(github),
    gfmTable(),
    {
      disable: {
        null: [
          // Raw HTML shows as the text it is, and models indent without meaning code. With these go the only constructs
          // besides fences that reach over a blank line.
          'htmlFlow',
          'htmlText',
          'codeIndented',
          ...limitedNames,
        ],
      },
    },
  ],
  mdastExtensions: [bareAddresses, readReferences, gfmStrikethroughFromMarkdown(), gfmTableFromMarkdown()],
};

/** The tree of one block: CommonMark with GitHub's tables, strikethrough and bare addresses. */
export function parseMarkdown(source: string): Root {
  return fromMarkdown(source, options);
}
