import type { Socket } from 'node:net';
import { OpenSet, Watcher } from '../open-set.ts';

const watched = new WeakMap<Socket, OpenSet<Watcher>>();

/**
 * Calls back when the socket closes; returns how to stop watching.
 *
 * One listener per socket however many requests wait on it: with pipelining dozens can, and only the first of them
 * holds the socket, so the `close` of the other responses never comes.
 */
export function onSocketClose(socket: Socket, callback: () => void): () => void {
  let callbacks = watched.get(socket);
  if (callbacks === undefined) {
    const created = new OpenSet<Watcher>();
    watched.set(socket, created);
    socket.once('close', () => {
      for (const each of created) each.call();
    });
    callbacks = created;
  }
  const set = callbacks;
  const watcher = new Watcher(callback);
  set.add(watcher);
  return () => {
    set.delete(watcher);
  };
}
