/** The words of the parts that are fetched when they are first needed: conversations, keys, commands, voice, models. */
export const moreStrings = {
  // Conversations
  newChat: 'New chat',
  search: 'Search conversations',
  searchNothing: 'Nothing was found',
  searchFound: (count: number, formatted: string) =>
    count === 1 ? `${formatted} conversation found` : `${formatted} conversations found`,
  untitled: 'Untitled',
  pinned: 'Pinned',
  today: 'Today',
  yesterday: 'Yesterday',
  lastWeek: 'Last 7 days',
  lastMonth: 'Last 30 days',
  archived: 'Archived',
  archivedCount: (formatted: string) => `Archived (${formatted})`,
  conversationsLoading: 'Looking for conversations',
  conversationsNone: 'Conversations are kept here once something was said in them.',
  conversationsFailed: 'The saved conversations could not be read',
  conversationFailed: 'That could not be saved. Try again.',
  conversationUnreadableRow: 'Cannot be read',
  conversationMenu: (title: string) => `More for ${title}`,
  conversationsMenu: 'Export and import',
  conversationsMore: (formatted: string) => `Show ${formatted} more`,
  rename: 'Rename',
  renameField: 'Title of the conversation',
  pin: 'Pin',
  unpin: 'Unpin',
  archive: 'Archive',
  unarchive: 'Move out of the archive',
  remove: 'Delete',
  conversationRemoved: 'Conversation deleted',
  conversationArchived: 'Conversation archived',
  exportMarkdown: 'Export as Markdown',
  exportJson: 'Export as JSON',
  exportAll: 'Export everything',
  importFile: 'Import from a file',
  imported: (count: number, formatted: string) =>
    count === 1 ? `${formatted} conversation imported` : `${formatted} conversations imported`,
  importedPartly: (skipped: string) => `${skipped} could not be read`,
  importUnknown: 'This is no export of this chat, of ChatGPT or of Open WebUI.',
};

/** The table of these words. */
export type MoreStrings = typeof moreStrings;
