import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idLength = 16;
/** 43 digits of base 62 hold 256 bits. */
const secretLength = 43;
/** 6 digits hold the 32 bits of a CRC. */
const checksumLength = 6;
const pattern = new RegExp(
  `^zk_([a-z0-9]{1,16})_([0-9A-Za-z]{${idLength}})_([0-9A-Za-z]{${secretLength}})_([0-9A-Za-z]{${checksumLength}})$`,
);

/** What an API key says of itself before anybody has checked it. */
export interface KeyParts {
  environment: string;
  /** Public: names the key in lists and logs. */
  id: string;
}

/** `zk_<environment>_<id>_<secret>_<checksum>`. The environment is 1 to 16 lower-case letters or digits. */
export function formatKey(environment: string, id: string, secret: string): string {
  const body = `zk_${environment}_${id}_${secret}`;
  return `${body}_${checksum(body)}`;
}

/**
 * The parts of a key whose form and checksum are right. A slip of the hand and most of what scanners try end here,
 * without a look into any store.
 */
export function parseKey(text: string): KeyParts | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, environment, id, , sum] = match as unknown as [string, string, string, string, string];
  return checksum(text.slice(0, -checksumLength - 1)) === sum ? { environment, id } : undefined;
}

/** Whether a credential wants to be an API key, right or wrong. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith('zk_');
}

/** A new random id. */
export function newKeyId(): string {
  return randomDigits(idLength);
}

/** A new random secret of 256 bits. */
export function newKeySecret(): string {
  return randomDigits(secretLength);
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let at = 0; at < checksumLength; at++) {
    text = digits.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Digits that are each equally likely: bytes from 248 on are thrown away, since 256 is no multiple of 62. */
function randomDigits(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += digits.charAt(byte % 62);
    }
  }
  return text;
}
