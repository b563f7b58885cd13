import type { Attachment } from '@ziggie/llm-client/conversation';

/** What may go along with a message. */
export interface AttachmentRules {
  /** Most files of one message. Default 10. */
  maxCount?: number | undefined;
  /** Images are made at most this wide and high, in pixels. Default 1,536: more than vision models look at. */
  maxImageSide?: number | undefined;
  /** Most bytes of an image after that. Default 4 MiB. */
  maxImageBytes?: number | undefined;
  /** Most bytes of a text file. Default 1 MiB. */
  maxTextBytes?: number | undefined;
  /** For the file dialog, as the `accept` of an input. Default: everything; what cannot be read is said. */
  accept?: string | undefined;
  /**
   * Reads what is neither an image nor text, a PDF for instance: asked first, `null` leaves it to the built-in reading. What
   * it throws shows as "cannot be read".
   */
  read?: ((file: File) => Promise<Attachment | null>) | undefined;
}
