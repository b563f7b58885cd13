import { createContext, useContext } from 'react';
import { createFormat, type Format } from './format.ts';
import { defaultStrings, type Strings } from './strings.ts';

/** Words and numbers in the reader's language. */
export interface Text {
  strings: Strings;
  format: Format;
}

export const TextContext = createContext<Text>({ strings: defaultStrings, format: createFormat(undefined) });

/** The words of the nearest provider, English without one. */
export function useText(): Text {
  return useContext(TextContext);
}
