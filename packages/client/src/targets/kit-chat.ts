import { encodeOllamaChat } from '@ziggie/llm-protocol/native';
import { KitDecoder } from './kit-decoder.ts';
import type { Speech } from './target.ts';

/** Of the kit's routes the one that most pages ask: at hand at once. */
export const kitChat: Pick<Speech, 'chat' | 'decoder'> = {
  chat: (request) => ({ path: '/chat', body: encodeOllamaChat(request, true) }),
  decoder: () => new KitDecoder(),
};
