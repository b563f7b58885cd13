/**
 * The first part of a frame, up to and with the first byte of the last character of `text`: in the middle of a code
 * point when that character has several bytes. A frame that does not hold the text is cut in half.
 */
export function tornFrame(frame: string, text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const last = [...text].at(-1) ?? '';
  const at = last === '' ? -1 : frame.lastIndexOf(last, frame.lastIndexOf(text) + text.length - last.length);
  if (at < 0) return encoder.encode(frame.slice(0, frame.length / 2));
  const whole = encoder.encode(frame);
  return whole.slice(0, encoder.encode(frame.slice(0, at)).length + 1);
}
