import { createContext, useContext } from 'react';
import { createFormat, type Format } from './format.ts';
import { type BaseStrings, defaultStrings, type Strings } from './strings.ts';

/** Words and numbers in the reader's language. */
export interface Text {
  strings: BaseStrings;
  /** What the host app put in place of ours, for parts that bring words of their own. */
  own?: Partial<Strings> | undefined;
  format: Format;
}

export const TextContext = createContext<Text>({ strings: defaultStrings, format: createFormat(undefined) });

/** The words of the nearest provider, English without one. */
export function useText(): Text {
  return useContext(TextContext);
}
