/** `Qwen3` → `qwen3:latest`: what makes two names the same model. Ollama's names ignore case, and `:latest` is implied. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.lastIndexOf(':') > lower.lastIndexOf('/') ? lower : `${lower}:latest`;
}
