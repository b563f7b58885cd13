import type { Source } from '../src/upstream.ts';

/** One quiet line: where the answers come from, and how to get the real thing. */
export function SourceLine({ source }: { source: Source | null }) {
  return (
    <span data-demo-source={source?.kind ?? 'unknown'}>{source ? <Words source={source} /> : '\u00a0'}</span>
  );
}

function Words({ source }: { source: Source }) {
  if (source.kind === 'stand-in') {
    return (
      <>
        Answers come from a built-in stand-in. For a real model, install Ollama, run{' '}
        <code>ollama pull llama3.2</code> and start again.
      </>
    );
  }
  if (source.state === 'unreachable') {
    return (
      <>
        OLLAMA_HOST is {source.address}, but no Ollama answers there. Start it with <code>ollama serve</code>.
      </>
    );
  }
  if (source.state === 'no-models') {
    return (
      <>
        Ollama at {source.address} has no model yet. Pull one with <code>ollama pull llama3.2</code>.
      </>
    );
  }
  return <>Answers come from Ollama at {source.address}. Check what matters.</>;
}
