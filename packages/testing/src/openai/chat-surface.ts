import { goJson } from '../ollama/go-json.ts';
import { logprobsOf } from '../ollama/logprobs.ts';
import type { Outgoing } from '../ollama/world.ts';
import type { ContentPiece, EndPiece, ToolPiece } from '../wire/pieces.ts';
import { type Surface, sseData, type WholeAnswer } from '../wire/surface.ts';
import type { Profile } from './profile.ts';

/** What the chunks of one chat answer share. */
export interface ChatSurfaceOptions {
  profile: Profile;
  id: string;
  createdS: number;
  model: string;
  includeUsage: boolean;
  /** How many alternatives each token names; `undefined`: no logprobs. */
  topLogprobs: number | undefined;
  toolCallId: (piece: ToolPiece) => string;
}

type Member = Readonly<Record<string, unknown>>;

/** `chat.completion.chunk` and `chat.completion`, as the profile's server writes them. */
export function openAiChatSurface(options: ChatSurfaceOptions): Surface {
  const { profile, id, createdS, model, includeUsage, topLogprobs } = options;
  let hasRole = false;
  const logprobs = (text: string) =>
    topLogprobs === undefined || text === '' ? undefined : { content: logprobsOf(text, topLogprobs) };
  const head = (object: string) => ({ id, object, created: createdS, model, ...profile.extras });
  const chunk = (choices: readonly Member[], more: Member = {}) =>
    sseData(
      jsonOf(profile, {
        ...head('chat.completion.chunk'),
        choices,
        ...(profile.nullUsage && includeUsage ? { usage: null } : {}),
        ...more,
      }),
    );
  const choice = (delta: Member, reason: string | null, text = '', more: Member = {}) =>
    ordered(profile.choiceOrder, {
      index: 0,
      delta,
      ...profile.choiceExtras,
      ...(logprobs(text) ? { logprobs: logprobs(text) } : {}),
      finish_reason: reason,
      ...more,
    });
  /** The role comes first: in a chunk of its own, or on the first delta. */
  const deltas = (all: readonly { delta: Member; text?: string }[]): string[] => {
    const frames: string[] = [];
    for (const { delta, text } of all) {
      let whole = delta;
      if (!hasRole) {
        hasRole = true;
        if (profile.firstDelta) frames.push(chunk([choice(profile.firstDelta, null)]));
        else whole = { role: 'assistant', ...delta };
      }
      frames.push(chunk([choice(whole, null, text)]));
    }
    return frames;
  };
  const tools = (piece: ToolPiece) => {
    const callId = options.toolCallId(piece);
    const json = goJson(piece.arguments);
    const content = profile.emptyContent ? { content: '' } : {};
    if (!profile.piecewiseTools) {
      const call = {
        id: callId,
        index: piece.index,
        type: 'function',
        function: { name: piece.name, arguments: json },
      };
      return [{ delta: { ...content, tool_calls: [call] } }];
    }
    const first = {
      index: piece.index,
      id: callId,
      type: 'function',
      function: { name: piece.name, arguments: '' },
    };
    return [
      { delta: { tool_calls: [first] } },
      ...(json.match(/[\s\S]{1,7}/g) ?? []).map((part) => ({
        delta: { tool_calls: [{ index: piece.index, function: { arguments: part } }] },
      })),
    ];
  };
  let called = false;
  const ending = (end: EndPiece): string[] => {
    const frames = end.tools.flatMap((piece) => deltas(tools(piece)));
    if (end.tools.length > 0) called = true;
    if (!hasRole) {
      // A model that says nothing: the role comes all the same.
      frames.push(
        ...(profile.firstDelta ? deltas([{ delta: {} }]).slice(0, 1) : deltas([{ delta: { content: '' } }])),
      );
    }
    if (end.finish.reason !== null) {
      const reason = end.finish.reason ?? reasonOf(end, called);
      const last = choice(profile.lastDelta, reason, '', profile.lastChoiceExtras);
      frames.push(chunk([last], includeUsage ? {} : profile.endExtras(end)));
    }
    if (includeUsage) {
      frames.push(
        sseData(
          jsonOf(profile, {
            ...head('chat.completion.chunk'),
            choices: [],
            usage: profile.usage(end.figures),
            ...profile.endExtras(end),
          }),
        ),
      );
    }
    if (end.finish.marker !== false) frames.push(sseData('[DONE]'));
    return frames;
  };
  return {
    dialect: 'openai',
    headers: profile.streamHeaders,
    heartbeat: ': keep-alive\n\n',
    frame: sseData,
    lateFailure: (failure) =>
      profile.lateFailure(failure, () =>
        sseData(
          goJson({ ...head('chat.completion.chunk'), model: '', choices: [choice({ content: '' }, null)] }),
        ),
      ),
    frames(piece: ContentPiece | EndPiece) {
      if (piece.kind === 'end') return ending(piece);
      if (piece.kind === 'tool') {
        called = true;
        return deltas(tools(piece));
      }
      const { text } = piece;
      if (piece.kind === 'text') return deltas([{ delta: { content: text }, text }]);
      const thinking = (said: string) =>
        Object.fromEntries(profile.thinkingFields.map((field) => [field, said]));
      // Thought in secret: time passes and nothing shows.
      if (piece.kind === 'thinking' && profile.thinkingFields.length === 0) return [];
      if (piece.kind === 'mixed') {
        const both = piece.thinking + text;
        return deltas([{ delta: thinking(piece.thinking), text: both }, { delta: { content: text } }]);
      }
      return deltas([
        { delta: { ...(profile.emptyContent ? { content: '' } : {}), ...thinking(text) }, text },
      ]);
    },
    whole: (answer) => whole(answer, options, head('chat.completion'), logprobs),
  };
}

function reasonOf(end: EndPiece, called: boolean): string {
  if (end.reason === 'length') return 'length';
  return called ? 'tool_calls' : 'stop';
}

function whole(
  { text, thinking, tools, end }: WholeAnswer,
  { profile, toolCallId }: ChatSurfaceOptions,
  head: Member,
  logprobs: (text: string) => unknown,
): Outgoing {
  const calls = tools.map((piece) => ({
    id: toolCallId(piece),
    ...(profile.name === 'ollama' ? { index: piece.index } : {}),
    type: 'function',
    function: { name: piece.name, arguments: goJson(piece.arguments) },
  }));
  const reason = end.finish.reason === undefined ? reasonOf(end, calls.length > 0) : end.finish.reason;
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? profile.noContent : text,
    ...Object.fromEntries(profile.thinkingFields.map((field) => [field, thinking || undefined])),
    tool_calls: calls.length > 0 ? calls : undefined,
  };
  const body = {
    ...head,
    choices: [
      ordered(profile.choiceOrder, {
        index: 0,
        message,
        ...profile.choiceExtras,
        ...(logprobs(text) ? { logprobs: logprobs(text) } : {}),
        finish_reason: reason,
        ...profile.lastChoiceExtras,
      }),
    ],
    usage: profile.usage(end.figures),
    ...profile.endExtras(end),
  };
  return openAiJson(profile, body);
}

/** The members in the server's own order; those it does not name come last. */
function ordered(order: readonly string[] | undefined, members: Member): Member {
  if (!order) return members;
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => rank(a) - rank(b)));
}

/** JSON as the profile's server writes it: Go escapes what HTML would read. */
function jsonOf(profile: Profile, body: Member): string {
  const members = ordered(profile.order, body);
  return profile.name === 'ollama' ? goJson(members) : JSON.stringify(members);
}

/** A whole JSON answer: Ollama's ends in a line end, the others' do not. */
export function openAiJson(profile: Profile, body: Member, status = 200): Outgoing {
  const text = jsonOf(profile, body);
  const charset = profile.name === 'llama.cpp' ? '; charset=utf-8' : '';
  return {
    status,
    headers: { 'content-type': `application/json${charset}` },
    body: profile.name === 'ollama' ? `${text}\n` : text,
  };
}
