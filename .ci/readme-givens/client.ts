/** What the fences of packages/client/README.md take as given: names of earlier fences and of the reader's own app. */
import type * as Client from '@ziggie/llm-client';
import type * as Conversations from '@ziggie/llm-client/conversation';
import type * as Storage from '@ziggie/llm-client/storage';
import type * as Tools from '@ziggie/llm-client/tools';
import type * as Zod from 'zod';

declare global {
  const createClient: typeof Client.createClient;
  const isZiggieError: typeof Client.isZiggieError;
  const createConversation: typeof Conversations.createConversation;
  const defineTool: typeof Tools.defineTool;
  const runTools: typeof Tools.runTools;
  const z: typeof Zod.z;

  const client: Client.ZiggieClient;
  const request: Client.ChatRequest;
  const messages: Client.ChatRequest['messages'];
  const model: string;
  const credentials: Client.Credentials;
  const conversation: Conversations.Conversation;
  const storage: Storage.ConversationStorage;
  const weather: ReturnType<typeof Tools.defineTool>;
  const id: string;
  const questionId: string;
  const answerId: string;
  const otherId: string;
  const messageId: string;
  const userId: string;

  const session: { token(): Promise<string> };
  const base64: string;
  const log: string;
  const article: string;
  const file: Blob;
  const input: { files: FileList };
  function ask(name: string): Promise<boolean>;
  function confirm(args: unknown): Promise<boolean>;
  function remove(path: string): Promise<string>;
  function draw(list: readonly unknown[]): void;
  function show(title: string | undefined, steps: readonly (string | undefined)[] | undefined): void;
  function askForAnotherModel(): void;
  function offerRetry(afterMs: number | undefined): void;
}
