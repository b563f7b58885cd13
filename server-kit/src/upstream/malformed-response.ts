/** The other end does not speak HTTP/1.1 as it should. Nothing of its bytes stands in the message. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

/** @throws {MalformedResponse} */
export function malformed(message: string): never {
  throw new MalformedResponse(message);
}
