import { createContext } from 'react';
import type { Strings } from './strings.ts';

/** What the host app says about words and numbers. */
export interface HostText {
  /** In place of ours. */
  readonly own?: Partial<Strings> | undefined;
  /** BCP 47. */
  readonly locale?: string | undefined;
}

export const HostTextContext = createContext<HostText>({});
