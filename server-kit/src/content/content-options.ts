import type { Principal } from '../kit-types.ts';
import type { ChatBody, GenerateBody } from '../request/chat-shape.ts';
import type { RedactKind } from './detectors.ts';

/** What is known about the request whose content is looked at. */
export interface ContentFacts {
  requestId: string;
  operation: 'chat' | 'generate' | 'embed';
  principal: Principal;
  /** As the caller named it. */
  model: string;
}

/** A checked body of `/chat` or `/generate`. */
export type ContentBody = ChatBody | GenerateBody;

/** Which text of an answer a piece is of. */
export type ContentChannel = 'text' | 'thinking' | 'tool-call';

/** What may be said to a model and by it. Everything holds for complete answers, streams and sockets alike. */
export interface ContentOptions {
  /** What is replaced by `[email]`, `[phone]`, `[card]`, `[iban]` or `[key]`: in what goes to the model, and in what comes back. */
  redact?:
    | { input?: readonly RedactKind[] | undefined; output?: readonly RedactKind[] | undefined }
    | undefined;
  /**
   * Phrases that do not pass: a request with one is refused (400 `content_blocked`), an answer is ended at the place where
   * one begins, and no part of it goes out. Case, white space and unseen signs do not matter.
   */
  blockedPhrases?: readonly string[] | undefined;
  /**
   * Looks at a request before the model does: gives nothing to let it pass, or another body, which is checked like any.
   * Throw a {@link ContentRefused} to refuse it. Anything else thrown, or more than 5 s, is a 500: it never passes unseen.
   */
  before?:
    | ((body: ContentBody, facts: ContentFacts) => Promise<ContentBody | undefined> | ContentBody | undefined)
    | undefined;
  /** Looks at an answer before anybody else does. */
  after?:
    | {
        /** Gives the text as it may go out; throw a {@link ContentRefused} to end the answer. Twice must be as once. */
        rewrite: (text: string, facts: ContentFacts & { channel: ContentChannel; isLast: boolean }) => string;
        /** The longest thing that it looks for, which is how far a stream stays behind. Default 200, at most 8,192. */
        windowCharacters?: number | undefined;
      }
    | undefined;
}

/** Thrown by a hook of `content` to refuse a request or to end an answer. */
export class ContentRefused extends Error {
  override readonly name = 'ContentRefused';

  /** @param message For the caller: what is not allowed and what to do. */
  constructor(message = 'The text holds something that is not allowed here.') {
    super(message);
  }
}
