/** Where log lines go; pino's shape. The object comes first, it never holds a prompt, an answer, a token or a key. */
export interface Logger {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}
