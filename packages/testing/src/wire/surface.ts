import type { HttpFailure } from '../ollama/http-failure.ts';
import type { Outgoing } from '../ollama/world.ts';
import type { Dialect } from '../script/step-types.ts';
import type { ContentPiece, EndPiece, ToolPiece } from './pieces.ts';

/** A whole answer, when it is not streamed. */
export interface WholeAnswer {
  text: string;
  thinking: string;
  tools: readonly ToolPiece[];
  end: EndPiece;
}

/** How one route words an answer. Made anew for each request, so it may remember what it has written. */
export interface Surface {
  readonly dialect: Dialect;
  /** Headers of a streamed answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** What goes out for a piece; each text is one write. */
  frames(piece: ContentPiece | EndPiece): readonly string[];
  /** What a failure looks like when records have gone out. */
  lateFailure(failure: HttpFailure): readonly string[];
  /** One frame with this payload as it is. */
  frame(payload: string): string;
  /** A sign of life without content. */
  readonly heartbeat: string;
  whole(answer: WholeAnswer): Outgoing;
}

/** One SSE event without a name. */
export function sseData(payload: string): string {
  return `data: ${payload}\n\n`;
}
