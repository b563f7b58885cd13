import { useContext } from 'react';
import { createFormat, type Format } from './format.ts';
import { type HostText, HostTextContext } from './host-text-context.ts';
import { type BaseStrings, defaultStrings, type Strings } from './strings.ts';

/** Words and numbers in the reader's language. */
export interface Text {
  strings: BaseStrings;
  /** What the host app put in place of ours, for parts that bring words of their own. */
  own?: Partial<Strings> | undefined;
  format: Format;
}

/** Made once for each provider: whoever only uses hooks does without our words. */
const texts = new WeakMap<HostText, Text>();

/** The words of the nearest provider, English without one. */
export function useText(): Text {
  const host = useContext(HostTextContext);
  let text = texts.get(host);
  if (text === undefined) {
    const { own, locale } = host;
    text = { strings: { ...defaultStrings, ...own }, own, format: createFormat(locale) };
    texts.set(host, text);
  }
  return text;
}
