import { expect, test } from 'vitest';
import { credentialOf } from './credential.ts';

const ask = (target: string, headers: Record<string, string>) =>
  credentialOf(new Request('http://ziggie.invalid/', { headers }), {
    remoteAddress: '127.0.0.1',
    encrypted: false,
    target,
    rawHeaders: [],
  });

test('credentialOf() reads x-api-key where Anthropic’s clients put it, and nowhere else', () => {
  expect(ask('/v1/messages', { 'x-api-key': 'zk_live' })).toEqual({ text: 'zk_live' });
  expect(ask('/v1/messages', { authorization: 'Bearer zk_live' })).toEqual({ text: 'zk_live' });
  for (const target of [
    '/v1/messages/',
    '/v1/messages/batches',
    '/chat',
    '/me',
    '/v1/chat/completions',
    '/V1/messages',
  ]) {
    expect(ask(target, { 'x-api-key': 'zk_live' })).toHaveProperty('fault');
  }
});

test('credentialOf() takes two credentials for none', () => {
  expect(ask('/v1/messages', { 'x-api-key': 'a', authorization: 'Bearer b' })).toHaveProperty('fault');
  expect(ask('/v1/messages', { 'x-api-key': 'a'.repeat(300) })).toHaveProperty('fault');
});
