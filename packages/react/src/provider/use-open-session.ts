import {
  type Cell,
  type Conversation,
  type ConversationOptions,
  type ConversationStorage,
  createConversation,
  platformConnection,
} from '@ziggie/llm-client/conversation';
import { createMemoryStorage } from '@ziggie/llm-client/storage';
import { useEffect, useMemo, useRef } from 'react';
import { ComposerStores } from '../composer/composer-store.ts';
import { noDrafts } from '../composer/draft-storage.ts';
import { useCell } from '../hooks/use-cell.ts';
import { useLatest } from '../hooks/use-latest.ts';
import { hostTools } from '../tools/host-tools.ts';
import { createToolApprovals, type ToolApprovals } from '../tools/tool-approvals.ts';
import { type ClientSource, clientSource } from './client-source.ts';
import { ModelList } from './model-list.ts';
import { OpenConversations } from './open-conversations.ts';
import type { ConnectionProps } from './provider-props.ts';
import type { Session } from './session.ts';

/**
 * Opens what the props name, once per `client`, `endpoint`, `conversation` and `storage`.
 *
 * Runs live in conversations and not in effects, so StrictMode's second mount finds them as they were. Conversations of
 * ours are closed when the component leaves the page for good, which saves what was written, closes the connections, frees
 * the GPU and leaves no listener behind. One that comes back later, as in React's `Activity`, opens them again.
 */
export function useOpenSession(props: ConnectionProps): Session {
  const latest = useLatest(props);
  const { client: givenClient, endpoint, conversation: given, conversationId = 'default' } = props;
  const hasCredentials = props.credentials !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rest is read when a conversation opens, as documented
  const shared = useMemo(() => {
    const client =
      givenClient === undefined && endpoint === undefined
        ? null
        : clientSource(givenClient, clientOf(endpoint ?? '', hasCredentials, latest));
    const approvals = props.approvals ?? createToolApprovals();
    const storage = props.storage ?? createMemoryStorage();
    const composers = new ComposerStores(props.drafts ?? noDrafts);
    const ask = givenClient ?? client?.open;
    const open = given === undefined ? openOurs(ask, storage, approvals, conversationId, latest) : null;
    return {
      client,
      approvals,
      models: new ModelList(client),
      composers,
      connection: props.connection ?? platformConnection,
      storage: given === undefined ? storage : (props.storage ?? null),
      open,
    };
  }, [givenClient, endpoint, given, props.storage, hasCredentials, props.transport]);

  const activeId = useCell(shared.open?.activeId ?? noId);
  const reopened = useCell(shared.open?.reopened ?? never);
  const usesTools = (props.tools?.length ?? 0) > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was opened again is another object under the same id
  const session = useMemo<Session>(() => {
    const conversation = given ?? (shared.open as OpenConversations).get(activeId);
    const signInAgain = async () => {
      await latest.current.onUnauthorized?.();
      await conversation.retry();
    };
    return { ...shared, conversation, signInAgain, usesTools };
  }, [shared, given, activeId, reopened, latest, usesTools]);

  useClientSoon(shared.client);
  useShownConversation(shared.open, props.conversationId, activeId, latest);
  useCloseAtTheEnd(shared.open);
  return session;
}

const noId: Cell<string> = { get: () => '', subscribe: () => () => {} };
const never: Cell<number> = { get: () => 0, subscribe: () => () => {} };
const noRefusal: Cell<unknown> = { get: () => null, subscribe: () => () => {} };

function openOurs(
  client: ConversationOptions['client'] | undefined,
  storage: ConversationStorage,
  approvals: ToolApprovals,
  firstId: string,
  latest: { readonly current: ConnectionProps },
): OpenConversations {
  if (client === undefined) {
    throw new TypeError(
      'ZiggieProvider needs a client, an endpoint or a conversation. Which server should it ask?',
    );
  }
  let last: Conversation | null = null;
  return new OpenConversations((id) => {
    const { model, system, think, options, context, tools, connection } = latest.current;
    last = createConversation({
      client,
      id,
      storage,
      // Whoever picked a model wants it in the next conversation as well.
      model: last?.model.get() ?? model,
      system,
      think,
      options,
      context,
      connection,
      tools: tools === undefined ? undefined : hostTools(latest, approvals),
    });
    return last;
  }, firstId);
}

/** Follows the host page to the conversation that it names, and tells it when the reader goes to another. */
function useShownConversation(
  open: OpenConversations | null,
  wanted: string | undefined,
  activeId: string,
  latest: { readonly current: ConnectionProps },
): void {
  const before = useRef({ open, wanted, activeId });
  useEffect(() => {
    if (before.current.wanted !== wanted && wanted !== undefined) open?.show(wanted);
    if (before.current.open === open && before.current.activeId !== activeId && activeId !== wanted)
      latest.current.onConversationChange?.(activeId);
    before.current = { open, wanted, activeId };
    open?.settle();
  }, [open, wanted, activeId, latest]);
}

/** The longest wait that a server may ask for without a word to the reader; a longer one is a card that counts down. */
const MAX_SILENT_WAIT_MS = 5_000;

function clientOf(
  baseUrl: string,
  hasCredentials: boolean,
  latest: { readonly current: ConnectionProps },
): Parameters<typeof clientSource>[1] {
  const credentials = async () => {
    const now = latest.current.credentials;
    return typeof now === 'function' ? await now() : (now ?? '');
  };
  return ({ createClient }) =>
    createClient({
      baseUrl,
      credentials: hasCredentials ? credentials : undefined,
      transport: latest.current.transport,
      retry: { maxRetryAfterMs: MAX_SILENT_WAIT_MS },
    });
}

/** Fetches the code of the client once the page stands. */
function useClientSoon(client: ClientSource | null): void {
  const refusal = useCell(client?.refusal ?? noRefusal);
  useEffect(() => {
    // Who needs it asks again, and is told.
    client?.open().catch(() => {});
  }, [client]);
  if (refusal !== null) throw refusal;
}

/**
 * Stops the runs when the page goes away, which saves what was written: the connections die with the page in any case.
 * Closes the conversations when nobody shows them any more.
 */
function useCloseAtTheEnd(open: OpenConversations | null): void {
  useEffect(() => {
    if (open === null) return;
    const letGo = open.hold();
    window.addEventListener('pagehide', open.stopAll);
    return () => {
      window.removeEventListener('pagehide', open.stopAll);
      letGo();
    };
  }, [open]);
}
