import { part } from '../part.ts';

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
  // A copy: what the caller does to the bytes meanwhile changes nothing, and shared memory becomes plain.
  const given = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : source;
  const { encodeBytes } = await part(() => import('./encode-bytes.ts'));
  return encodeBytes(given, options);
}
