/** Every text in a JSON value, member names and numbers included, through a function. What nests too deep was refused before. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value === 'number') {
    // A card number may be written as one.
    const text = String(value);
    const changed = change(text);
    return changed === text ? value : changed;
  }
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(copy, change(name), {
      value: mapTexts(member, change),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}
