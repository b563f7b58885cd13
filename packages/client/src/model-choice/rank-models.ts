import type { Capability, ModelInfo } from '@ziggie/llm-protocol';

/**
 * The models to try, in order: those wished for that are there and can do what is needed, in the order of the wishes; then,
 * unless `onlyWished`, the other ones that can, those in memory first.
 *
 * A server that says nothing about what a model can do is believed that it can.
 */
export function rankModels(
  there: readonly ModelInfo[],
  wished: readonly string[],
  needs: readonly Capability[],
  onlyWished: boolean,
): string[] {
  const fit = there.filter(
    ({ capabilities }) => capabilities.length === 0 || needs.every((need) => capabilities.includes(need)),
  );
  const first = wished.flatMap((wish) => fit.find((model) => isNamed(model, wish)) ?? []);
  const others = onlyWished
    ? []
    : fit.toSorted((a, b) => Number(b.loaded !== null) - Number(a.loaded !== null));
  return [...new Set([...first, ...others].map(({ name }) => name))];
}

/** `mistral` is `mistral:latest`, as for Ollama. */
function isNamed({ name, aliases }: ModelInfo, wish: string): boolean {
  const wanted = withTag(wish);
  return [name, ...aliases].some((own) => withTag(own) === wanted);
}

function withTag(name: string): string {
  return name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest`;
}
