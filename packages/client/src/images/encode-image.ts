import { fromBase64, toBase64 } from './base64.ts';
import { scaleImage } from './scale-image.ts';
import { sniffImage } from './sniff-image.ts';

/** What an image can be given as. A string is a `data:` URL or base64, never a path or an address. */
export type ImageSource = Blob | ArrayBuffer | ArrayBufferView | string;

/** Options of `encodeImage`. */
export interface EncodeImageOptions {
  /** Browsers and workers only: the longer side is made at most this many pixels. Default: the image goes as it is. */
  maxSide?: number | undefined;
  /**
   * Browsers and workers only: the image is drawn anew even when it is small enough, so that what a camera wrote into it
   * (place, time, owner) stays behind. Default `false`.
   */
  redraw?: boolean | undefined;
  /** Most bytes of the image that goes out. Default 15 MiB: as base64 that fills the 20 MiB a kit takes. */
  maxBytes?: number | undefined;
}

const DEFAULT_MAX_BYTES = 15 * 1024 * 1024;

/**
 * An image as messages carry it in `images`: plain base64. What it is, is read from its bytes: PNG, JPEG, WebP, GIF or BMP.
 *
 * ```ts
 * const images = await Promise.all([...input.files].map((file) => encodeImage(file, { maxSide: 1_024 })));
 * client.chat({ model: 'llava', messages: [{ role: 'user', content: 'What is this?', images }] });
 * ```
 *
 * Nothing is ever read from a path: a string of a user must not make a server send its files away.
 *
 * @throws {TypeError} when it is no image. @throws {RangeError} when it is larger than `maxBytes`.
 */
export async function encodeImage(source: ImageSource, options: EncodeImageOptions = {}): Promise<string> {
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

async function bytesOf(source: ImageSource): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof source === 'string') return bytesOfText(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) {
    // A copy: what the caller does to the bytes meanwhile changes nothing, and shared memory becomes plain.
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
  }
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
