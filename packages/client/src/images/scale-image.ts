import type { ImageType } from './sniff-image.ts';

/** Of JPEG: below it small print begins to suffer. */
const QUALITY = 0.9;

/**
 * The image with its longer side at most `maxSide` pixels; as it was when it is small enough and `redraw` is not set. PNG
 * and GIF become PNG, the others JPEG on white. Of what else a file may hold (place, time, owner) nothing comes along.
 *
 * @throws {TypeError} where the platform cannot draw (Node), or the image cannot be read.
 */
export async function scaleImage(
  bytes: Uint8Array<ArrayBuffer>,
  type: ImageType,
  maxSide: number,
  redraw = false,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof createImageBitmap !== 'function' || typeof OffscreenCanvas !== 'function') {
    throw new TypeError(
      'Scaling an image: this platform cannot draw. Leave maxSide out, or scale it before.',
    );
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes], { type }));
  } catch (cause) {
    throw new TypeError('Scaling an image: it cannot be read.', { cause });
  }
  const factor = Math.min(1, maxSide / Math.max(bitmap.width, bitmap.height));
  if (factor === 1 && !redraw) {
    bitmap.close();
    return bytes;
  }
  const width = Math.max(1, Math.round(bitmap.width * factor));
  const height = Math.max(1, Math.round(bitmap.height * factor));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  const lossless = type === 'image/png' || type === 'image/gif';
  if (!lossless) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
  }
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const blob = await canvas.convertToBlob({ type: lossless ? 'image/png' : 'image/jpeg', quality: QUALITY });
  return new Uint8Array(await blob.arrayBuffer());
}
