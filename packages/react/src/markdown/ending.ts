/** What becomes of the end of a text: more may come, it was cut off, or it is all there. */
export type Ending = 'growing' | 'cut' | 'over';
