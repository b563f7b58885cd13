import { part } from '../part.ts';

/** What reads failures: nothing of it is needed while all goes well. */
export const loadFailures = () => part(() => import('./failed-answer.ts'));
