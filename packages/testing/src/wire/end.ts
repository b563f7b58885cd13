import type { EndPiece, Figures } from './pieces.ts';

/** The end of an answer that broke off, or that was none: without figures nothing has been generated. */
export function endOf(reason?: string, figures?: Figures): EndPiece {
  return { kind: 'end', reason: 'stop', figures, tools: [], finish: { reason } };
}
