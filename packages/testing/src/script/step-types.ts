/** How a body is worded: Ollama's records, OpenAI's chunks, Anthropic's events. */
export type Dialect = 'ollama' | 'openai' | 'anthropic';

/** How an answer breaks off: a clean end without the last record, a FIN in the middle of the body, a reset. */
export type CutKind = 'end' | 'close' | 'reset';

/** A text for one frame, or one for each dialect; a dialect without one skips the step. */
export type FramePayload = string | Partial<Readonly<Record<Dialect, string>>>;

/** What is done to a whole answer on its way out, whatever the script says. Made by `shape()`. */
export interface Shape {
  /** Replaces the status of the answer. */
  status?: number | undefined;
  /** Added to the headers; a value of `undefined` takes one away. */
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** The body goes out in writes of so many bytes. */
  sliceBytes?: number | undefined;
  /** Pause between two of those writes, of the clock. Default 0. */
  sliceEveryMs?: number | undefined;
  /** The body is cut in two writes at this byte. */
  splitAtByte?: number | undefined;
  /** Everything up to the end, or the next pause of the script, goes out in one write. */
  merge?: boolean | undefined;
  /** The body breaks off after so many bytes. */
  limitBytes?: number | undefined;
  /** How it breaks off there. Default `close`. */
  limitCut?: CutKind | undefined;
  /** Compresses the body. Over a socket only: in process the text passes as fetch would have decoded it. */
  gzip?:
    | {
        /** Bytes that are missing at its end. Default 0. */
        cutBytes?: number | undefined;
        /** How often it is compressed. Default 1. */
        layers?: number | undefined;
        /** The body is replaced by white space of this size, compressed about a thousand times. */
        bombBytes?: number | undefined;
      }
    | undefined;
  /** Trailers after the last chunk. Over a socket only. */
  trailers?: Readonly<Record<string, string>> | undefined;
  /** Bytes on the connection ahead of the status line. Over a socket only. */
  before?: string | undefined;
}

/** A recorded answer. */
export interface RecordedAnswer {
  /** The body: whole, or one entry for each write. */
  body: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Default 200. */
  status?: number | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
}

/** What the last records of an answer say, where it is not what they should. Made by `finish()`. */
export interface Finish {
  /** Why it ended; `null` leaves the reason out. Default `stop`, or `tool_calls` where the dialect says so. */
  reason?: string | null | undefined;
  /** `false` leaves out `[DONE]`; in the dialects without it, `done: true` and `message_stop`. */
  marker?: boolean | undefined;
}

/** One step of a scripted answer. Made by the functions of steps.ts. */
export type Step =
  | { kind: 'say'; text: string }
  | { kind: 'think'; text: string }
  /** The end of the thinking and the beginning of the text in one record. */
  | { kind: 'mixed'; thinking: string; text: string }
  | { kind: 'callTool'; name: string; arguments: Record<string, unknown>; onLastRecord: boolean }
  /** Silence for this long; without a length, until the client leaves. */
  | { kind: 'stall'; ms: number | undefined }
  /** The stream ends here without a last record. */
  | { kind: 'cut'; how: CutKind }
  /** Before any record a real HTTP answer with `status`; after one, an error in the stream. */
  | {
      kind: 'error';
      message: string;
      status: number;
      body: string | undefined;
      headers: Record<string, string>;
    }
  /** Raw bytes in the stream, as they are. */
  | { kind: 'garbage'; bytes: string | Uint8Array }
  /** From here on, this pace. */
  | { kind: 'slow'; tokensPerSecond: number }
  /** One record with this many characters of text. */
  | { kind: 'huge'; characters: number }
  /** The status line goes out now, before any record. */
  | { kind: 'begin' }
  /** One frame with this payload, whatever it is. */
  | { kind: 'frame'; payload: FramePayload }
  /** The first part of a record, up to the first byte of the last character of its text. */
  | { kind: 'torn'; text: string }
  /** The same bytes again and again, so many in all. */
  | { kind: 'flood'; pattern: FramePayload; bytes: number }
  /** The same text for ever. */
  | { kind: 'endless'; text: string }
  /** Signs of life without content. */
  | { kind: 'heartbeats'; everyMs: number; times: number }
  /** The last records, now; what follows comes after them. */
  | { kind: 'finish'; finish: Finish }
  | { kind: 'replay'; answer: RecordedAnswer }
  | { kind: 'shape'; shape: Shape }
  /** Bytes on the connection in place of an HTTP answer. */
  | {
      kind: 'wire';
      bytes: string | Uint8Array;
      sliceBytes: number | undefined;
      everyMs: number;
      ending: 'close' | 'reset' | 'hang';
    }
  /** What the connection does before it is asked anything. */
  | { kind: 'connection'; how: 'refuse' | 'reset' | 'ignore' | 'reset-on-reuse'; ms: number | undefined };

export type Script = readonly Step[];

/** Which requests a script answers. Everything given must fit. */
export interface ScriptMatch {
  model?: string | undefined;
  /** Found in the last user message or the prompt. */
  contains?: string | undefined;
  /** The path of the request, such as `/api/pull`. Without it a script answers chat and generate requests of every kind. */
  path?: string | undefined;
  /** How many requests it answers before it is used up. Default 1; `Infinity` for all. */
  times?: number | undefined;
}
