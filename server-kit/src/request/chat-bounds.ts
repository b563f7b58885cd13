/** Who can speak in a conversation. */
export const roles = ['system', 'user', 'assistant', 'tool'] as const;

/** Bounds of one request. */
export const maxMessages = 1000;
export const maxTools = 128;
export const maxImages = 8;
/** Of names, of models and of tools, in UTF-16 units. */
export const maxNameLength = 256;
