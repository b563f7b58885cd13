/** More calls than this in one round stand behind one line. */
export const MOST_APART = 3;
