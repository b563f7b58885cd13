export { type FakeHandlerOptions, ollamaHandlers, openAiHandlers } from './msw/handlers.ts';
