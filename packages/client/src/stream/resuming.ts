/** What only answers need that outlive their connection. */
export { platformNetwork } from '../http/network.ts';
export { endRun } from './end-run.ts';
export { reattach } from './reattach.ts';
