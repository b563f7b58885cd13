import 'vitest';
import 'vitest/browser';

declare module 'vitest/browser' {
  interface BrowserCommands {
    /** A file of the folder `shared` beside the repository, `null` where there is none. */
    readShared(path: string): Promise<string | null>;
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether this is the slow tier, which leaves nothing out. */
    slowTier: boolean;
  }
}
