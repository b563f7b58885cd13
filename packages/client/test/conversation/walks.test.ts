import { it } from 'vitest';
import { checkConversation, checkReducer } from './walks.ts';

it('reduce() keeps every state sound over 2,000 random walks of actions', () => {
  checkReducer(2000);
});

// It gives way to other work many thousand times, which a busy machine makes long.
it('createConversation() keeps its promises over 2,000 random walks of people, server and time', async () => {
  await checkConversation(2000);
}, 180_000);
