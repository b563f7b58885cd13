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
