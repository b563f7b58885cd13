import { lazyPart } from '../parts/lazy-part.tsx';
import type { StructuredDataProps } from './structured-data.tsx';

export type { StructuredDataProps } from './structured-data.tsx';

/**
 * Structured data for people: a list of records as a table, a record as names and values, what is inside of them indented.
 * Takes an object that is still being written. For a place inside of an element of class `zg`; fetched when first shown.
 */
export const StructuredData = lazyPart<StructuredDataProps>(() =>
  import('./structured-data.tsx').then(({ StructuredData: View }) => View),
);
