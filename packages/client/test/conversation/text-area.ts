/** A `Storage` in memory for Node, with a size limit as browsers have one. */
export function createTextArea(maxCharacters = Infinity): Storage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem(key, value) {
      let used = key.length + value.length;
      for (const [name, text] of items) if (name !== key) used += name.length + text.length;
      if (used > maxCharacters) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}
