import { goJson } from '../ollama/go-json.ts';
import type { ContentPiece, EndPiece } from '../wire/pieces.ts';
import { type Surface, sseData } from '../wire/surface.ts';
import { openAiJson } from './chat-surface.ts';
import type { Profile } from './profile.ts';

/** What the chunks of one text completion share. */
export interface CompletionSurfaceOptions {
  profile: Profile;
  id: string;
  createdS: number;
  model: string;
  includeUsage: boolean;
}

/** `text_completion`, in chunks or whole. Ollama's chunks carry a usage of zeros when usage was asked for. */
export function completionSurface(options: CompletionSurfaceOptions): Surface {
  const { profile, id, createdS, model, includeUsage } = options;
  const isOllama = profile.name === 'ollama';
  const write = (body: object) => sseData(isOllama ? goJson(body) : JSON.stringify(body));
  const chunk = (choices: readonly object[], usage: unknown, name = model) => {
    const head = { id, object: 'text_completion', created: createdS };
    const tail = usage === undefined ? {} : { usage };
    return write(
      isOllama
        ? { ...head, choices, model: name, ...profile.extras, ...tail }
        : { ...head, model: name, ...profile.extras, choices, ...tail },
    );
  };
  const choice = (text: string, reason: string | null) =>
    isOllama
      ? { text, index: 0, finish_reason: reason }
      : { index: 0, text, logprobs: null, finish_reason: reason };
  const zeros = isOllama && includeUsage ? profile.usage(undefined) : undefined;
  const reasonOf = (end: EndPiece) => end.finish.reason ?? end.reason;
  return {
    dialect: 'openai',
    headers: profile.streamHeaders,
    heartbeat: ': keep-alive\n\n',
    frame: sseData,
    lateFailure: (failure) => profile.lateFailure(failure, () => chunk([choice('', null)], undefined, '')),
    frames(piece: ContentPiece | EndPiece) {
      if (piece.kind === 'text' || piece.kind === 'mixed') return [chunk([choice(piece.text, null)], zeros)];
      // A text completion has no place for thinking or calls.
      if (piece.kind !== 'end') return [];
      const frames: string[] = [];
      if (piece.finish.reason !== null) frames.push(chunk([choice('', reasonOf(piece))], zeros));
      if (includeUsage) frames.push(chunk([], profile.usage(piece.figures)));
      if (piece.finish.marker !== false) frames.push(sseData('[DONE]'));
      return frames;
    },
    whole: ({ text, end }) =>
      openAiJson(profile, {
        id,
        object: 'text_completion',
        created: createdS,
        model,
        ...profile.extras,
        choices: [choice(text, reasonOf(end))],
        usage: profile.usage(end.figures),
        ...profile.endExtras(end),
      }),
  };
}
