import { createClient, type ZiggieClient } from '@ziggie/llm-client';
import {
  type Conversation,
  type ConversationOptions,
  type ConversationRecord,
  createConversation,
} from '@ziggie/llm-client/conversation';
import { createMemoryStorage } from '@ziggie/llm-client/storage';
import { createFakeOllama, type FakeOllama, type FakeOllamaOptions, type Script } from '@ziggie/llm-testing';

/** A conversation over the real client and the stand-in in process. */
export interface TestChat {
  fake: FakeOllama;
  client: ZiggieClient;
  conversation: Conversation;
}

export interface TestChatOptions extends FakeOllamaOptions {
  /** Scripts for the requests to come, in order. */
  scripts?: readonly Script[] | undefined;
  /** Messages that stand there already. */
  record?: ConversationRecord | undefined;
  model?: string | undefined;
  /** More settings of the conversation. */
  conversation?: Partial<ConversationOptions> | undefined;
}

/** Makes one. Answers come at once unless `tokensPerSecond` is given, and nothing is tried twice. */
export function createTestChat(options: TestChatOptions = {}): TestChat {
  const { scripts = [], record, model = 'stand-in', conversation: settings, ...fakeOptions } = options;
  const fake = createFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY, ...fakeOptions });
  for (const script of scripts) fake.script(script);
  const client = createClient({
    baseUrl: 'http://ollama.test',
    target: 'ollama',
    fetch: fake.fetch,
    retry: { maxAttempts: 1 },
  });
  const storage = createMemoryStorage();
  if (record !== undefined) void storage.save(record);
  return {
    fake,
    client,
    conversation: createConversation({
      client,
      storage,
      model,
      id: record?.id ?? 'default',
      ...settings,
    }),
  };
}

/** A saved conversation of questions and answers in turn. */
export function recordOf(
  texts: readonly string[],
  more: Partial<ConversationRecord> = {},
): ConversationRecord {
  const nodes = texts.map((text, index) => ({
    id: `m${index}`,
    parentId: index === 0 ? null : `m${index - 1}`,
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    text,
    thinking: '',
    toolCalls: [],
    createdAt: 1_700_000_000_000 + index,
    ...(index % 2 === 0
      ? {}
      : {
          model: 'stand-in:latest',
          end: { kind: 'complete' as const, finishReason: 'stop' as const },
          usage: { inputTokens: 40, outputTokens: 214, source: 'upstream' as const },
          timings: { ttftMs: 400, decodeMs: 5_632, totalMs: 6_032 },
        }),
  }));
  return {
    version: 2,
    id: 'saved',
    pinned: false,
    archived: false,
    removed: [],
    queue: [],
    cut: null,
    detailsAt: 0,
    title: null,
    model: 'stand-in',
    head: nodes.at(-1)?.id ?? null,
    nodes,
    updatedAt: 1_700_000_000_000,
    ...more,
  };
}
