import { useSyncExternalStore } from 'react';
import { useSession } from '../provider/session.ts';
import { useSelected } from './use-cell.ts';

/** What is known of the network. */
export interface ConnectionView {
  readonly online: boolean;
  /** Messages that will be sent when it is back. */
  readonly waiting: number;
}

const online = () => true;
const lengthOf = (items: readonly unknown[]) => items.length;

/** Whether there is a network, and how many messages wait for it. A server renders as if there was. */
export function useConnection(): ConnectionView {
  const { connection, conversation } = useSession();
  const isOnline = useSyncExternalStore(connection.subscribe, connection.isOnline, online);
  return { online: isOnline, waiting: useSelected(conversation.queue.items, lengthOf) };
}
