import { hashText } from '../ollama/random.ts';
import type { Script } from '../script/step-types.ts';
import { say, think } from '../script/steps.ts';
import { jsonAnswer } from './json-answer.ts';
import { capitalized, subjectOf } from './subject.ts';
import { configuration, python, typescript } from './templates/code.ts';
import { essay, greeting, image, overview } from './templates/prose.ts';
import { checklist, comparison, glossary, steps } from './templates/structured.ts';
import type { Blanks, Template, Topic } from './topic.ts';

/** Forms that suit any question. */
const general: readonly Template[] = [
  overview,
  steps,
  comparison,
  essay,
  typescript,
  glossary,
  checklist,
  python,
  configuration,
];

/** Words of a question that ask for a form. */
const wishes: readonly { words: RegExp; templates: readonly Template[] }[] = [
  { words: /^\W*(?:hi|hello|hey|good (?:morning|evening|day)|hallo)\W*$/i, templates: [greeting] },
  { words: /\bpython\b/i, templates: [python] },
  { words: /\b(?:json|ya?ml|config\w*|settings?|options?)\b/i, templates: [configuration] },
  {
    words: /\b(?:code|function|script|program|typescript|javascript|api)\b/i,
    templates: [typescript, python],
  },
  { words: /\b(?:table|compare|comparison|versus|vs|difference|better)\b/i, templates: [comparison] },
  { words: /\b(?:steps?|install|set ?up|how (?:do|to|can))\b/i, templates: [steps] },
  { words: /\b(?:list|plan|todo|checklist)\b/i, templates: [checklist, glossary] },
  { words: /\b(?:story|poem|essay|letter)\b/i, templates: [essay] },
];

const notices: readonly string[] = [
  'No model wrote this: it comes from the **stand-in**. For a real one, install [Ollama](https://ollama.com/download) and run `ollama pull llama3.2`.',
  'I am the **stand-in**, a set of prepared texts without a model. Install [Ollama](https://ollama.com/download), run `ollama pull llama3.2`, and a real model answers in my place.',
  'This is the **stand-in** speaking, so the words are prepared. A real answer needs [Ollama](https://ollama.com/download) and a model: `ollama pull llama3.2`.',
];

const ordinals = [
  '',
  '',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
];

/** A built-in answer: the same for the same question at the same place in the same conversation. */
export function composeAnswer(topic: Topic): Script {
  const seed = hashText(`${topic.model}\n${topic.question}`);
  const about = subjectOf(topic.question) || 'your question';
  const blanks: Blanks = {
    subject: `“${about}”`,
    heading: capitalized(about),
    opening: opening(topic.questionNumber),
    notice: pick(notices, seed),
    imageCount: topic.imageCount,
  };
  const text = topic.format ? jsonAnswer(topic.format, about) : choose(topic, seed)(blanks);
  return topic.thinks ? [think(thoughts(topic, blanks, seed)), say(text)] : [say(text)];
}

function choose({ question, firstQuestion, questionNumber, imageCount }: Topic, seed: number): Template {
  if (imageCount > 0) return image;
  const wish = wishes.find(({ words }) => words.test(question));
  if (wish) return pick(wish.templates, seed + questionNumber);
  // Counted on from the first question: one conversation goes through the forms without a repetition.
  return pick(general, hashText(firstQuestion) + questionNumber);
}

function opening(questionNumber: number): string {
  if (questionNumber <= 1) return '';
  const ordinal = ordinals[questionNumber];
  if (!ordinal) return `That is question ${questionNumber} in this conversation. `;
  return pick(
    [
      `That is your ${ordinal} question in this conversation. `,
      `Your ${ordinal} question, and still no model behind me. `,
      `${capitalized(ordinal)} question of this conversation. `,
    ],
    questionNumber,
  );
}

function thoughts({ questionNumber }: Topic, { subject }: Blanks, seed: number): string {
  const openings = [
    `The user asks about ${subject}.`,
    `So the subject is ${subject}.`,
    `${subject}. Let me see what I have.`,
  ];
  const history =
    questionNumber > 1
      ? ` This is question ${questionNumber}, so I should not introduce myself at length.`
      : '';
  const plans = [
    'I have no model behind me, only prepared texts, and I must say so early and plainly.',
    'I know nothing about it: I am a stand-in. The honest thing is to say that and to be useful in another way.',
    'There are no weights here to consult. A short frame with true facts about streaming is better than an invention.',
  ];
  const ends = [
    'I will pick a form with a heading, keep it short and name the command for a real model.',
    'Markdown with a list or a table will show how the page paints it. Then the command to get a model.',
  ];
  return `${pick(openings, seed >>> 2)}${history}\n\n${pick(plans, seed >>> 5)} ${pick(ends, seed >>> 9)}`;
}

function pick<Item>(from: readonly Item[], number: number): Item {
  return from[number % from.length] as Item;
}
