import type { StreamEventBody } from '@ziggie/llm-protocol';

/** Reads the records of one answer. */
export interface RecordDecoder {
  /** Whether the answer is whole. */
  readonly ended: boolean;
  /** Reads one record and adds its events. @throws {ProtocolError} when it is not a record. */
  read(record: RecordText, events: StreamEventBody[]): void;
  /**
   * The events of a record, where they can be told from its bytes (without the line ends behind it); `undefined`, and nothing is read,
   * where it must be read as text. Everything before it has been read.
   */
  readBytes?(bytes: Buffer, from: number, to: number): readonly StreamEventBody[] | undefined;
}

/** Stands for the end of a body that ended well, where a dialect lets an answer end so. */
export const endOfBody: unique symbol = Symbol('end of body');

/** A record as it came. */
export type RecordText = string | typeof endOfBody;

/** What arrives of an answer: a record that is still to be read, or an event of one that has been. */
export type Arrival = RecordText | StreamEventBody;
