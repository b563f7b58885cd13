import { expect, test } from 'vitest';
import { encodeImage } from '../index.ts';
import { sniffImage } from './sniff-image.ts';

async function picture(width: number, height: number, type: string): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.fillStyle = '#c00';
  context.fillRect(0, 0, width, height);
  return canvas.convertToBlob({ type });
}

test.each([
  ['image/jpeg', 800, 400, 200, 'image/jpeg', 200, 100],
  ['image/png', 300, 900, 90, 'image/png', 30, 90],
  ['image/webp', 640, 480, 64, 'image/jpeg', 64, 48],
  ['image/webp', 40, 30, 64, 'image/webp', 40, 30],
])(
  'encodeImage() scales %s of %d × %d to %d',
  async (type, width, height, maxSide, toType, toWidth, toHeight) => {
    const encoded = await encodeImage(await picture(width, height, type), { maxSide });
    const bytes = Uint8Array.from(atob(encoded), (unit) => unit.charCodeAt(0));
    expect(sniffImage(bytes)).toBe(toType);
    const bitmap = await createImageBitmap(new Blob([bytes]));
    expect([bitmap.width, bitmap.height]).toEqual([toWidth, toHeight]);
    const context = new OffscreenCanvas(1, 1).getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.drawImage(bitmap, 0, 0, 1, 1);
    const [red = 0, green = 255] = context.getImageData(0, 0, 1, 1).data;
    expect(red).toBeGreaterThan(180);
    expect(green).toBeLessThan(30);
  },
);

test('encodeImage() refuses what begins like an image and is none', async () => {
  const broken = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]);
  await expect(encodeImage(broken, { maxSide: 10 })).rejects.toThrow(/cannot be read/);
});

test('encodeImage() with redraw leaves behind what a camera wrote into a small image', async () => {
  const plain = new Uint8Array(await (await picture(40, 30, 'image/jpeg')).arrayBuffer());
  // An APP1 segment with EXIF and a place in it, right after the start of the image.
  const note = new TextEncoder().encode('Exif\0\0GPS 47.3769 N 8.5417 E');
  const segment = new Uint8Array([0xff, 0xe1, 0, note.length + 2, ...note]);
  const photo = new Blob([plain.subarray(0, 2), segment, plain.subarray(2)], { type: 'image/jpeg' });
  const bytesOf = (encoded: string) => atob(encoded);
  expect(bytesOf(await encodeImage(photo, { maxSide: 100 }))).toContain('GPS 47.3769');
  const redrawn = bytesOf(await encodeImage(photo, { maxSide: 100, redraw: true }));
  expect(redrawn).not.toContain('GPS');
  expect(redrawn).not.toContain('Exif');
  const bitmap = await createImageBitmap(new Blob([Uint8Array.from(redrawn, (unit) => unit.charCodeAt(0))]));
  expect([bitmap.width, bitmap.height]).toEqual([40, 30]);
});
