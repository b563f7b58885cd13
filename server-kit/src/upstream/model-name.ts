/** `Qwen3` → `qwen3:latest`: what makes two names the same model. Ollama's names ignore case, and `:latest` is implied. */
export function canonicalName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const canonical = canonicalOf(name);
  if (name.length <= maxKeptLength) {
    if (names.size >= maxKept) names.clear();
    names.set(name, canonical);
  }
  return canonical;
}

/** The last ones: a request asks a dozen times, and tables find a text faster that they have seen before. */
const names = new Map<string, string>();
const maxKept = 1000;
const maxKeptLength = 256;

function canonicalOf(name: string): string {
  const lower = name.toLowerCase();
  return lower.lastIndexOf(':') > lower.lastIndexOf('/') ? lower : `${lower}:latest`;
}
