import { KitFailure } from '../../failure.ts';

const dataUrl = /^data:(?:image\/(?:jpeg|jpg|png|webp|gif))?;base64,(?<data>[A-Za-z0-9+/]+={0,2})$/;

/**
 * The base64 of an image in a `data:` URL. An address is never fetched: the caller would decide whom this server talks to.
 *
 * @throws {KitFailure} `bad_request`
 */
export function imageOf(url: string, where: string): string {
  const data = dataUrl.exec(url)?.groups?.['data'];
  if (data !== undefined) return data;
  throw new KitFailure(
    'bad_request',
    `The request is not valid. ${where}: images come as data:image/png;base64,… here; an address is not fetched.`,
  );
}
