import { createClient, type ZiggieClient } from '@ziggie/llm-client';
import { type Conversation, createConversation } from '@ziggie/llm-client/conversation';
import { useEffect, useMemo, useRef } from 'react';
import { useLatest } from '../hooks/use-latest.ts';
import { ModelList } from './model-list.ts';
import type { ConnectionProps } from './provider-props.ts';
import type { Session } from './session.ts';

/**
 * Opens what the props name, once per `client`, `endpoint`, `conversation`, `conversationId` and `storage`.
 *
 * The run lives in the conversation and not in an effect, so StrictMode's second mount finds it as it was. A conversation
 * of ours is stopped when the component leaves the page for good, which closes the connection and frees the GPU.
 */
export function useOpenSession(props: ConnectionProps): Session {
  const latest = useLatest(props);
  const { client: givenClient, endpoint, conversation: given, conversationId, storage } = props;
  const hasCredentials = props.credentials !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rest is read when a conversation opens, as documented
  const session = useMemo(() => {
    const client = givenClient ?? openClient(endpoint, hasCredentials, latest);
    if (client === null && given === undefined) {
      throw new TypeError(
        'ZiggieProvider needs a client, an endpoint or a conversation. Which server should it ask?',
      );
    }
    const { model, system, think, options } = props;
    const conversation =
      given ??
      createConversation({
        client: client as ZiggieClient,
        id: conversationId,
        storage,
        model,
        system,
        think,
        options,
      });
    const signInAgain = async () => {
      await latest.current.onUnauthorized?.();
      await conversation.retry();
    };
    return { client, conversation, models: new ModelList(client), signInAgain };
  }, [givenClient, endpoint, given, conversationId, storage, hasCredentials]);

  useStopAtTheEnd(given === undefined ? session.conversation : null);
  return session;
}

/** The longest wait that a server may ask for without a word to the reader; a longer one is a card that counts down. */
const MAX_SILENT_WAIT_MS = 5_000;

function openClient(
  endpoint: string | undefined,
  hasCredentials: boolean,
  latest: { readonly current: ConnectionProps },
): ZiggieClient | null {
  if (endpoint === undefined) return null;
  const credentials = async () => {
    const now = latest.current.credentials;
    return typeof now === 'function' ? await now() : (now ?? '');
  };
  return createClient({
    baseUrl: endpoint,
    credentials: hasCredentials ? credentials : undefined,
    retry: { maxRetryAfterMs: MAX_SILENT_WAIT_MS },
  });
}

/**
 * Stops the run when the page goes away, which saves what was written: the connection dies with the page in any case. And
 * when nobody shows the conversation any more; a mount right after an unmount keeps it.
 */
function useStopAtTheEnd(conversation: Conversation | null): void {
  const leaving = useRef(new Map<Conversation, ReturnType<typeof setTimeout>>());
  useEffect(() => {
    if (conversation === null) return;
    const timers = leaving.current;
    clearTimeout(timers.get(conversation));
    timers.delete(conversation);
    window.addEventListener('pagehide', conversation.stop);
    return () => {
      window.removeEventListener('pagehide', conversation.stop);
      timers.set(
        conversation,
        setTimeout(() => {
          timers.delete(conversation);
          conversation.stop();
        }, 0),
      );
    };
  }, [conversation]);
}
