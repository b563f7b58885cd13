/** Bytes per piece: a multiple of 3, so that the pieces join, and few enough to be arguments of one call. */
const PIECE_BYTES = 0x6000;

/** Plain base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE_BYTES)));
  }
  return text;
}

/** @returns `undefined` when the text is not base64 with padding. White space, as in wrapped lines, is passed over. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const plain = text.replace(/\s+/g, '');
    if (plain.length % 4 !== 0) return undefined;
    return Uint8Array.from(atob(plain), (unit) => unit.charCodeAt(0));
  } catch {
    return undefined;
  }
}
