import type { Finish, FramePayload } from '../script/step-types.ts';

/** The figures of the last record, in milliseconds of the clock. */
export interface Figures {
  totalMs: number;
  loadMs: number;
  promptTokens: number;
  prefillMs: number;
  tokens: number;
  /** How many of them were thinking. */
  thinkingTokens: number;
  decodeMs: number;
}

/** One whole call of a tool. */
export interface ToolPiece {
  kind: 'tool';
  id: string;
  index: number;
  name: string;
  arguments: Record<string, unknown>;
}

/** What the answer says. */
export type ContentPiece =
  | { kind: 'thinking'; text: string }
  | { kind: 'text'; text: string }
  /** Both in one record, as when the closing tag stands in the middle of one. */
  | { kind: 'mixed'; thinking: string; text: string }
  | ToolPiece;

/** The end of the answer. */
export interface EndPiece {
  kind: 'end';
  reason: 'stop' | 'length';
  /** Missing when nothing was generated: the model was only loaded or freed. */
  figures: Figures | undefined;
  /** Calls that were held back for the last record. */
  tools: readonly ToolPiece[];
  /** Where the end is not what it should be. */
  finish: Finish;
}

/** What a generation brings forth. */
export type Piece =
  | ContentPiece
  | EndPiece
  | { kind: 'raw'; bytes: string | Uint8Array }
  | { kind: 'frame'; payload: FramePayload }
  | { kind: 'flood'; pattern: FramePayload; bytes: number }
  | { kind: 'torn'; text: string }
  | { kind: 'heartbeat' }
  /** What came so far goes out, the status line too. */
  | { kind: 'flush' };

/** The figures of an end; zeros where nothing was generated. */
export function figuresOf(end: EndPiece): Figures {
  return (
    end.figures ?? {
      totalMs: 0,
      loadMs: 0,
      promptTokens: 0,
      prefillMs: 0,
      tokens: 0,
      thinkingTokens: 0,
      decodeMs: 0,
    }
  );
}
