import { fromBase64, toBase64 } from './base64.ts';
import type { EncodeImageOptions, ImageSource } from './encode-image.ts';
import { scaleImage } from './scale-image.ts';
import { sniffImage } from './sniff-image.ts';

/** An image as it is read: views are copies by now. */
type OwnSource = Exclude<ImageSource, ArrayBufferView> | Uint8Array<ArrayBuffer>;

const DEFAULT_MAX_BYTES = 15 * 1024 * 1024;

/** What `encodeImage` does: the file that comes with the first image. */
export async function encodeBytes(source: OwnSource, options: EncodeImageOptions): Promise<string> {
  const { maxSide, redraw = false, maxBytes = DEFAULT_MAX_BYTES } = options;
  if (maxSide !== undefined && !(maxSide >= 1))
    throw new TypeError('Reading maxSide: give pixels, at least 1.');
  let bytes = await bytesOf(source);
  const type = sniffImage(bytes);
  if (type === undefined) throw typeof source === 'string' ? noImageText() : noImage();
  if (maxSide !== undefined || redraw) bytes = await scaleImage(bytes, type, maxSide ?? Infinity, redraw);
  if (bytes.length > maxBytes) {
    throw new RangeError(
      `Encoding an image: it has ${bytes.length} bytes, more than ${maxBytes}. Scale it down with maxSide, or raise maxBytes.`,
    );
  }
  return toBase64(bytes);
}

async function bytesOf(source: OwnSource): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof source === 'string') return bytesOfText(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Uint8Array) return source;
  throw noImage();
}

function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  if (!text.startsWith('data:')) return fromBase64(text) ?? fail(noImageText());
  const comma = text.indexOf(',');
  if (!/;base64$/i.test(text.slice(0, Math.max(0, comma)))) {
    throw new TypeError('Encoding an image: the data URL is not base64.');
  }
  return (
    fromBase64(text.slice(comma + 1)) ?? fail(new TypeError('Encoding an image: the data URL is broken.'))
  );
}

function fail(error: Error): never {
  throw error;
}

function noImage(): TypeError {
  return new TypeError(
    'Encoding an image: give a PNG, JPEG, WebP, GIF or BMP as Blob, File, ArrayBuffer, typed array, data URL or base64.',
  );
}

function noImageText(): TypeError {
  return new TypeError(
    'Encoding an image: the string is neither a data URL nor base64 of an image. Paths and addresses are not read: read the file yourself and give its bytes.',
  );
}
