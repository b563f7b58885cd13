import { connection, cut, say, stall } from '../script/steps.ts';
import type { FaultEntry } from './fault-types.ts';

/** Before the upstream has read the request. */
export const connectFaults: Readonly<Record<string, FaultEntry>> = {
  F001: {
    what: 'the port is closed',
    side: 'upstream',
    variants: { refuse: () => [connection('refuse')] },
  },
  F002: {
    what: 'one of several upstreams is closed: play it on one of them',
    side: 'upstream',
    variants: { refuse: () => [connection('refuse')] },
  },
  F003: {
    what: 'every upstream is closed: play it on each',
    side: 'upstream',
    variants: { refuse: () => [connection('refuse')] },
  },
  F004: { what: 'packets vanish before a connection exists', side: 'environment' },
  F005: {
    what: 'the connection is accepted and nothing is ever read from it',
    side: 'upstream',
    variants: { ignore: () => [connection('ignore')] },
  },
  F006: {
    what: 'the connection is reset as soon as it was accepted',
    side: 'upstream',
    variants: { reset: () => [connection('reset')] },
  },
  F007: {
    what: 'a kept-alive connection is reset when the next request arrives on it',
    side: 'upstream',
    socketOnly: true,
    variants: { reset: () => [connection('reset-on-reuse')] },
  },
  F008: { what: 'the name does not resolve', side: 'environment' },
  F009: { what: 'the name resolves differently each time', side: 'environment' },
  F010: { what: 'the name resolves to an inside address', side: 'environment' },
  F011: { what: 'the certificate is expired, for another name or self-signed', side: 'environment' },
  F104: {
    what: 'the connection works and the first byte takes 30 s',
    side: 'upstream',
    variants: { wait: () => [stall(30_000), say('At last.')] },
  },
  F117: {
    what: 'one second passes before anything arrives',
    side: 'upstream',
    variants: { latency: () => [stall(1000), say('Later.')] },
  },
  F124: {
    what: 'the port is closed for three seconds',
    side: 'upstream',
    variants: { refuse: () => [connection('refuse', 3000)] },
  },
  F100: {
    what: 'the process dies while it answers; server.up() starts it again',
    side: 'upstream',
    partial: 'The answer is',
    variants: { reset: () => [say('The answer is'), cut('reset')] },
  },
};
