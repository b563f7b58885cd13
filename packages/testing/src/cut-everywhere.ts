/** Every way to cut `bytes` in two, from "nothing and all" to "all and nothing": what a socket may do to a record. */
export function* cutEverywhere(bytes: Uint8Array): Generator<[Uint8Array, Uint8Array]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}
