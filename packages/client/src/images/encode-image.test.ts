import { createFakeOllama, say } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { createClient, encodeImage, type ImageSource } from '../index.ts';

/** One transparent pixel. */
const base64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
const of = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

describe('encodeImage()', () => {
  it.each<[string, ImageSource]>([
    ['a Blob', new Blob([bytes], { type: 'text/plain' })],
    ['a File', new File([bytes], 'photo.txt')],
    ['an ArrayBuffer', bytes.slice().buffer],
    ['a typed array', bytes],
    ['a Buffer that is a part of a larger one', Buffer.concat([Buffer.from('xx'), bytes]).subarray(2)],
    ['a DataView', new DataView(bytes.slice().buffer)],
    ['words of 16 bits', new Uint16Array(new Uint8Array([...bytes, 0]).slice(0, 70).buffer)],
    ['a data URL', `data:image/png;base64,${base64}`],
    ['a data URL of another type', `data:application/octet-stream;name=x;base64,${base64}`],
    ['base64', base64],
    ['base64 in lines', base64.replace(/(.{20})/g, '$1\r\n')],
  ])('takes %s', async (_, source) => {
    const encoded = await encodeImage(source);
    expect(Buffer.from(encoded, 'base64').subarray(0, 70)).toEqual(Buffer.from(bytes));
  });

  it('takes typed arrays as they are when it is called', async () => {
    const own = bytes.slice();
    const encoded = encodeImage(own);
    own.fill(0);
    expect(await encoded).toBe(base64);
  });

  it.each([
    ['PNG', '\x89PNG\r\n\x1a\nxxxx'],
    ['JPEG', '\xff\xd8\xff\xe0xxxx'],
    ['WebP', 'RIFF\x10\x00\x00\x00WEBPVP8 '],
    ['GIF', 'GIF89axxxx'],
    ['BMP', 'BMxxxxxxxx'],
  ])('knows %s by its first bytes', async (_, text) => {
    expect(await encodeImage(of(text))).toBe(Buffer.from(of(text)).toString('base64'));
  });

  it.each([
    '/etc/passwd',
    './photo.png',
    'package.json',
    '/var/img/abc',
    'C:\\photo.png',
    'https://pictures.example/a.png',
    'file:///etc/passwd',
    new URL('../../package.json', import.meta.url).pathname,
    '',
    'hello',
    Buffer.from('no image at all').toString('base64'),
  ])('refuses the string %o: nothing is read from a path', async (text) => {
    await expect(encodeImage(text)).rejects.toThrow(/Paths and addresses are not read/);
  });

  it.each<[unknown, RegExp]>([
    ['data:image/png,plain', /not base64/],
    ['data:image/png;base64,%%%', /data URL is broken/],
    [of('%PDF-1.7'), /give a PNG, JPEG, WebP, GIF or BMP/],
    [new Blob([]), /give a PNG/],
    [{ path: '/etc/passwd' }, /give a PNG/],
    [undefined, /give a PNG/],
  ])('refuses %o', async (source, message) => {
    const failed = await encodeImage(source as ImageSource).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(TypeError);
    expect((failed as Error).message).toMatch(message);
  });

  it('has a limit, and encodes what is larger than one piece', async () => {
    await expect(encodeImage(bytes, { maxBytes: 69 })).rejects.toThrow(RangeError);
    const large = new Uint8Array(100_000).map((_, at) => at % 251);
    large.set(bytes);
    expect(await encodeImage(large)).toBe(Buffer.from(large).toString('base64'));
  });

  it('says so where nothing can be drawn', async () => {
    await expect(encodeImage(bytes, { maxSide: 10 })).rejects.toThrow(/this platform cannot draw/);
    await expect(encodeImage(bytes, { maxSide: 0 })).rejects.toThrow(/at least 1/);
  });

  it('goes to the model in a message; anything else than base64 is refused before sending', async () => {
    const fake = createFakeOllama({ tokensPerSecond: Infinity });
    fake.script(say('A pixel.'));
    const client = createClient({ baseUrl: 'http://ollama.test', target: 'ollama', fetch: fake.fetch });
    const ask = (images: readonly string[]) =>
      client.chat({ model: 'stand-in-vision', messages: [{ role: 'user', content: 'What?', images }] });
    expect(await ask([await encodeImage(bytes)]).text()).toBe('A pixel.');
    expect(fake.report().requests[0]?.body).toMatchObject({ messages: [{ images: [base64] }] });
    for (const wrong of ['./photo.png', '/etc/passwd', `data:image/png;base64,${base64}`, 7 as never]) {
      expect(() => ask([wrong])).toThrow(/encodeImage\(\) makes that/);
      expect(() => client.generate({ model: 'm', prompt: '', images: [wrong] })).toThrow(
        /encodeImage\(\) makes that/,
      );
    }
  });
});
