import { it } from 'vitest';
import { checkConversation, checkReducer } from './walks.ts';

it('reduce() keeps every state sound over 2,000 random walks of actions', () => {
  checkReducer(2000);
});

it('createConversation() keeps its promises over 2,000 random walks of people, server and time', async () => {
  await checkConversation(2000);
});
