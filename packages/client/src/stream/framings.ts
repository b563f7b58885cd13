import { part } from '../part.ts';

/** The framing that is not simply lines: nothing of it is needed where the server says that its answer is lines. */
export const loadEventStream = () => part(() => import('./event-stream.ts'));
