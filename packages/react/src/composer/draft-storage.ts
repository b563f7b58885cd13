/** Where words that were not sent yet outlive the page. */
export interface DraftStorage {
  /** '' when there is none. Must not throw. */
  read(conversationId: string): string;
  /** '' removes it. Must not throw. */
  write(conversationId: string, text: string): void;
  /** Removes all of them, for signing out. */
  clear(): void;
}

/**
 * Keeps drafts in the browser under `ziggie-draft:<namespace>:<conversation>`. Where the browser forbids storage, or has
 * no room, drafts live as long as the page.
 *
 * @param namespace Keeps users of one browser apart: put the user's id in it.
 */
export function createBrowserDrafts(namespace: string): DraftStorage {
  const prefix = `ziggie-draft:${encodeURIComponent(namespace)}:`;
  const guarded = <T>(work: (area: Storage) => T, otherwise: T): T => {
    try {
      return work(globalThis.localStorage);
    } catch {
      return otherwise;
    }
  };
  return {
    read: (id) => guarded((area) => area.getItem(prefix + id) ?? '', ''),
    write: (id, text) =>
      guarded(
        (area) => (text === '' ? area.removeItem(prefix + id) : area.setItem(prefix + id, text)),
        undefined,
      ),
    clear: () =>
      guarded((area) => {
        const keys = Array.from({ length: area.length }, (_, index) => area.key(index));
        for (const key of keys) if (key?.startsWith(prefix)) area.removeItem(key);
      }, undefined),
  };
}

/** Drafts that live as long as the page. */
export const noDrafts: DraftStorage = { read: () => '', write: () => {}, clear: () => {} };
