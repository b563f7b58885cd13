import type { Format } from '../ollama/format.ts';

/** What an answer is made from. */
export interface Topic {
  /** With tag. */
  model: string;
  question: string;
  /** The first one of the conversation. */
  firstQuestion: string;
  /** Counted from 1. */
  questionNumber: number;
  imageCount: number;
  /** Whether it thinks before it answers. */
  thinks: boolean;
  format: Format;
}

/** What a template fills in. */
export interface Blanks {
  /** What the question is about, in quotation marks, safe in any Markdown. */
  subject: string;
  /** The same with a capital and without the marks. */
  heading: string;
  /** Begins an answer; from the second question on it says which one this is. */
  opening: string;
  /** Says that no model wrote this and how to get one. */
  notice: string;
  imageCount: number;
}

/** One form of answer. */
export type Template = (blanks: Blanks) => string;
