import type { FaultEntry, FaultSide } from './fault-types.ts';

const entries = (side: FaultSide, whats: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(whats).map(([id, what]) => [id, { what, side } satisfies FaultEntry] as const),
  );

/** What somebody else does: the client, a store, the process in between. A stand-in can only look on. */
export const otherFaults: Readonly<Record<string, FaultEntry>> = {
  ...entries('client', {
    F068: 'it leaves before it was identified',
    F069: 'it leaves while it waits in the queue',
    F070: 'it leaves before the headers',
    F071: 'it leaves in the middle of the answer',
    F072: 'it leaves at the very end',
    F073: 'it closes its half and still reads',
    F074: 'it does not read',
    F075: 'a thousand that do not read',
    F076: 'it sends its headers byte by byte',
    F077: 'it sends its body byte by byte',
    F078: 'its body is over the limit',
    F079: 'it aborts: before the start, in each phase, after the end',
    F080: 'its loop breaks or throws',
    F081: 'its network goes away',
    F082: 'its timers are throttled',
    F083: 'its component goes away',
    F084: 'it sends twice, or while it stops',
    F085: 'it paints two thousand tokens a second',
    F086: 'its clock is wrong',
  }),
  ...entries('stores', {
    F087: 'a store is away at the start',
    F088: 'a store dies',
    F089: 'a store is slow',
    F090: 'a store comes and goes',
    F091: 'a store answers with its errors',
    F092: 'a store answers with garbage',
    F093: 'a store forgets everything',
    F094: 'two nodes share a store',
    F095: 'the audit log cannot be written',
    F096: 'the key set cannot be fetched',
    F097: 'a cached entry is broken',
  }),
  ...entries('host', {
    F098: 'the clock jumps',
    F099: 'the process in between is told to end while it streams',
    F101: 'the event loop stands still',
    F102: 'no file descriptor is left',
    F103: 'the heap is nearly full',
    F105: 'ten thousand idle sockets',
    F106: 'five thousand streams',
    F107: 'everybody connects again at once',
    F108: 'the configuration changes while it streams',
    F109: 'a hook throws or never ends',
    F110: 'one stream throws',
  }),
  ...entries('websocket', {
    F111: 'the socket closes with a code',
    F112: 'pings stay without an answer',
    F113: 'frames that are none',
    F114: 'the upgrade is refused',
    F115: 'the token expires while the socket is open',
    F116: 'two answers share a socket',
  }),
};
