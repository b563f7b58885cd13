import { fromBase64, toBase64 } from '../images/base64.ts';

/** Bytes or base64 as `ollama` takes them, and data URLs; a path is refused. */
export function encodeBytes(image: Uint8Array | string): string {
  if (typeof image !== 'string') return toBase64(new Uint8Array(image));
  const text = image.startsWith('data:') ? image.slice(image.indexOf(',') + 1) : image;
  if (text !== '' && /^[A-Za-z0-9+/=\s]+$/.test(text) && fromBase64(text) !== undefined) return text;
  throw new TypeError(
    'Encoding an image: the string is not base64. Paths are not read here: read the file yourself and give its bytes.',
  );
}

/** A copy of the request with images in base64; what the caller gave stays as it is. */
export function withEncodedImages<T extends object>(request: T): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...(request as Record<string, unknown>) };
  if (Array.isArray(copy['images'])) copy['images'] = copy['images'].map(encodeBytes);
  if (Array.isArray(copy['messages'])) copy['messages'] = copy['messages'].map(withEncodedImages);
  return copy;
}
