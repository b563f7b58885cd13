/** A model's name in its parts, all in lower case: Ollama matches names without regard to case. */
export interface ModelName {
  host: string;
  namespace: string;
  model: string;
  tag: string;
}

const part = /^[a-z0-9_][a-z0-9_.-]{0,79}$/;
const namespacePart = /^[a-z0-9_][a-z0-9_-]{0,79}$/;
const hostPart = /^[a-z0-9_][a-z0-9_.:-]{0,349}$/;

/** Reads `[host/][namespace/]model[:tag]`; `undefined` when it is not a valid name. */
export function parseModelName(text: string): ModelName | undefined {
  const pieces = text.toLowerCase().split('/');
  if (pieces.length > 3) return undefined;
  const [model, tag, ...more] = (pieces.pop() ?? '').split(':');
  const name = {
    host: pieces.length === 2 ? (pieces[0] ?? '') : 'registry.ollama.ai',
    namespace: pieces.at(-1) ?? 'library',
    model: model ?? '',
    tag: tag ?? 'latest',
  };
  const valid =
    more.length === 0 &&
    hostPart.test(name.host) &&
    namespacePart.test(name.namespace) &&
    part.test(name.model) &&
    part.test(name.tag);
  return valid ? name : undefined;
}

/** The name as lists show it: without the defaults for host and namespace, always with the tag. */
export function shortName({ host, namespace, model, tag }: ModelName): string {
  const end = `${model}:${tag}`;
  if (host !== 'registry.ollama.ai') return `${host}/${namespace}/${end}`;
  return namespace === 'library' ? end : `${namespace}/${end}`;
}

/** The whole name, as capability errors print it. */
export function fullName({ host, namespace, model, tag }: ModelName): string {
  return `${host}/${namespace}/${model}:${tag}`;
}

/** A name in the form that lists show; a text that is no valid name stays as it is. */
export function canonicalName(text: string): string {
  const name = parseModelName(text);
  return name ? shortName(name) : text;
}
