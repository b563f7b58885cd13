/** `Qwen3` → `qwen3:latest`: what makes two names the same model. Ollama's names ignore case, and `:latest` is implied. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.lastIndexOf(':') > lower.lastIndexOf('/') ? lower : `${lower}:latest`;
}

/** Whether a model is named by an entry of a list: its name, a beginning such as `llama3*`, or `*` for all. */
export function isNamedBy(pattern: string, model: string): boolean {
  if (pattern.endsWith('*')) return canonicalName(model).startsWith(pattern.slice(0, -1).toLowerCase());
  return canonicalName(pattern) === canonicalName(model);
}
