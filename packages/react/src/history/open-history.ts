export {
  createHistory,
  exportJson,
  exportMarkdown,
  importConversations,
} from '@ziggie/llm-client/storage';
