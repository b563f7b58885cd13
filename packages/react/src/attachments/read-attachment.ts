import { encodeImage } from '@ziggie/llm-client';
import type { PendingAttachment } from '../composer/composer-store.ts';
import type { AttachmentRules } from './attachment-rules.ts';

type Read = Pick<PendingAttachment, 'state' | 'attachment' | 'reason'>;

const refused = (reason: PendingAttachment['reason']): Read => ({ state: 'refused', reason });

/** Larger photos are not even opened: reading them would stall the page. */
const MAX_SOURCE_BYTES = 64 * 1024 * 1024;

/**
 * A file as it goes to the model: images are drawn anew, smaller when they are large, without what a camera wrote into
 * them; text files as text. Never throws.
 */
export async function readAttachment(file: File, rules: AttachmentRules): Promise<Read> {
  try {
    const own = await rules.read?.(file);
    if (own) return { state: 'ready', attachment: own };
    return file.type.startsWith('image/') && file.type !== 'image/svg+xml'
      ? await readImage(file, rules)
      : await readText(file, rules);
  } catch (error) {
    return refused(error instanceof RangeError ? 'too-large' : 'unreadable');
  }
}

async function readImage(file: File, rules: AttachmentRules): Promise<Read> {
  const { maxImageSide = 1_536, maxImageBytes = 4 * 1024 * 1024 } = rules;
  if (file.size > MAX_SOURCE_BYTES) return refused('too-large');
  const data = await encodeImage(file, { maxSide: maxImageSide, redraw: true, maxBytes: maxImageBytes });
  const mediaType = data.startsWith('iVBOR') ? 'image/png' : 'image/jpeg';
  return { state: 'ready', attachment: { kind: 'image', data, mediaType, name: file.name } };
}

async function readText(file: File, rules: AttachmentRules): Promise<Read> {
  const { maxTextBytes = 1024 * 1024 } = rules;
  if (file.size > maxTextBytes) return refused('too-large');
  // Throws for bytes that are no UTF-8; most binary formats hold zeros as well.
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  if (text.includes('\0') || text.trim() === '') return refused('unreadable');
  const mediaType = file.type === '' ? undefined : file.type;
  return {
    state: 'ready',
    attachment: { kind: 'file', name: file.name, text, ...(mediaType && { mediaType }) },
  };
}
