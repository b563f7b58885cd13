export { SseSplitter } from '@ziggie/llm-protocol';
