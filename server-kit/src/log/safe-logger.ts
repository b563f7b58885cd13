import type { Logger } from './logger.ts';

/**
 * The host's logger as the kit calls it: what it throws is lost. Out of a listener or a timer it would end the process, and
 * nothing that was asked of the kit fails for its log line.
 */
export function safeLogger(logger: Logger): Logger {
  const safely =
    (level: keyof Logger): Logger[typeof level] =>
    (fields, message) => {
      try {
        logger[level](fields, message);
      } catch {
        // There is nowhere left to say so.
      }
    };
  return { info: safely('info'), warn: safely('warn'), error: safely('error') };
}
