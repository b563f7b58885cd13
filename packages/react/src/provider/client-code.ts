export { createClient } from '@ziggie/llm-client';
