import type { Attachment, Draft } from './types.ts';

/** A draft that may be sent. */
export interface CheckedDraft {
  readonly text: string;
  readonly attachments?: readonly Attachment[] | undefined;
}

/** @throws {TypeError} when there is nothing in it, or an attachment is not one. */
export function checkDraft(input: string | Draft): CheckedDraft {
  const { text, attachments } = typeof input === 'string' ? { text: input, attachments: undefined } : input;
  if (text.trim() === '' && !attachments?.length)
    throw new TypeError('Sending a message: its text is empty.');
  for (const attachment of attachments ?? []) checkAttachment(attachment);
  return attachments === undefined ? { text } : { text, attachments };
}

function checkAttachment(attachment: Attachment): void {
  if (attachment.kind === 'file') {
    if (typeof attachment.text === 'string' && typeof attachment.name === 'string') return;
    throw new TypeError('Attaching a file: give its `name` and what is in it as `text`.');
  }
  // The first characters are enough to tell a data URL or a path from base64, however large the image is.
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(attachment.data?.slice(0, 64) ?? '')) return;
  throw new TypeError('Attaching an image: `data` must be plain base64, without a `data:` prefix.');
}
