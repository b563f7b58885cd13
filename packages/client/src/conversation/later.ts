/** What a page does not start with: nothing of it is needed before the first turn, or before another tab saves something. */
export { mergeRecords } from './merge.ts';
export { runTurn } from './run-turn.ts';
export { takeIn } from './take-in.ts';
