import { defineTemplate } from './define-template.ts';

/*
 * Each tells the model its job, the form of the answer and what to do when the input does not allow one; says nothing
 * twice, because small models read every word; and sets text from elsewhere off from its instructions.
 */

/** A text in fewer words. `length`: how long; `audience`: for whom. */
export const summarise = defineTemplate({
  name: 'summarise',
  description: 'Says what a text says in fewer words.',
  system:
    'You summarise texts. Keep to what the text says: add no facts, no opinion and no advice. Keep names, numbers and dates exactly. Keep the order of importance, not the order of the text. Write in the language of the text. Begin with the summary itself, without a heading or an introduction.',
  prompt: 'Summarise this text in {{length}} for {{audience}}.\n\n{{{text}}}',
  defaults: { length: 'three to five sentences', audience: 'a reader who has not seen it' },
});

/** A text in another language. `tone`: how it should sound. */
export const translate = defineTemplate({
  name: 'translate',
  description: 'Puts a text into another language.',
  system:
    'You translate texts. Give the whole meaning, nothing more and nothing less, in words that a native writer would choose. Keep the paragraphs, lists, Markdown and line breaks. Leave code, URLs, placeholders such as {name} or %s, and proper names as they are. What is already in the language asked for stays unchanged. Answer with the translation only.',
  prompt: 'Translate this text into {{language}}. The tone is {{tone}}.\n\n{{{text}}}',
  defaults: { tone: 'that of the original' },
});

/** A text in better or other words. `goal`: what should change. */
export const rewrite = defineTemplate({
  name: 'rewrite',
  description: 'Puts a text into better words, or into another style.',
  system:
    'You edit texts. Keep the meaning, the facts, the language and the form (paragraphs, lists, Markdown) unless the goal asks for a change. Mend grammar and spelling on the way. Do not make it longer than it has to be. Answer with the new text only.',
  prompt: 'Rewrite this text. The goal: {{goal}}.\n\n{{{text}}}',
  defaults: { goal: 'clear and plain, in short sentences' },
});

/** The facts of a text as JSON. Best with `object()`, whose schema holds the model to the form. `fields`: what to look for. */
export const extract = defineTemplate({
  name: 'extract',
  description: 'Takes the facts out of a text, as JSON.',
  system:
    'You take facts out of texts. Take only what the text says; guess and complete nothing. Copy names, numbers and dates as they are written. A fact that is not there is null, a list without entries is []. Answer with one JSON value and nothing else: no fence, no comment.',
  prompt: 'Take these facts out of the text: {{fields}}.\n\n{{{text}}}',
});

/** What code does. `level`: how much the reader knows. */
export const explainCode = defineTemplate({
  name: 'explain-code',
  description: 'Explains what a piece of code does and how.',
  system:
    'You explain code to people who have to work with it. First say in one or two sentences what it is for. Then go through how it works in the order in which it runs, and name the identifiers you speak of in backticks. End with what is easy to get wrong: side effects, edge cases, assumptions about the input. Explain only what is there; where it depends on code you do not see, say so. Do not rewrite it.',
  prompt: 'Explain this code to {{level}}. Answer in {{language}}.\n\n{{{code}}}',
  defaults: { level: 'a developer who is new to it', language: 'English' },
});

/** What is wrong with code. `focus`: what to look at first. */
export const reviewCode = defineTemplate({
  name: 'review-code',
  description: 'Looks for mistakes in a piece of code.',
  system:
    'You review code. Report what is wrong or will break, the most harmful first: wrong results, lost data, security holes, races, leaks, errors that are swallowed, then what is slow or hard to change. For each give: the place (function or line), what happens and with which input, and the smallest change that mends it. Report nothing that a formatter would change, and nothing you cannot show from the code. When nothing is wrong, say so in one sentence.',
  prompt: 'Review this code. Look first at {{focus}}.\n\n{{{code}}}',
  defaults: { focus: 'correctness and security' },
});

/** One of several labels for a text. `labels`: separated by commas. */
export const classify = defineTemplate({
  name: 'classify',
  description: 'Puts a text into one of several classes.',
  system:
    'You classify texts. Choose the one label that fits the text as a whole best. Answer with that label exactly as it is given, and with nothing else: no punctuation, no reason.',
  prompt: 'The labels are: {{labels}}.\nWhen none fits, answer: {{otherwise}}.\n\n{{{text}}}',
  defaults: { otherwise: 'other' },
});

/** Ideas. `count`: how many; `constraints`: what they must respect. */
export const brainstorm = defineTemplate({
  name: 'brainstorm',
  description: 'Finds ideas that differ from each other.',
  system:
    'You find ideas. They differ in kind, not only in words: go from the obvious to the unusual, and leave none out because it is bold. Each is concrete enough to be begun tomorrow. Give a numbered list: a name in bold, then one sentence of what it is and one of why it could work. No introduction and no closing words.',
  prompt: 'Find {{count}} ideas for: {{topic}}\nThey must respect: {{constraints}}.',
  defaults: { count: '8', constraints: 'nothing in particular' },
});

/** An answer out of given texts only. */
export const answerFrom = defineTemplate({
  name: 'answer-from',
  description: 'Answers a question out of given texts, and only out of them.',
  system:
    'You answer questions out of the sources you are given. Use nothing else, even when you know more. Quote the words that carry the answer, briefly, in quotation marks. When the sources do not answer the question, say exactly that and what is missing. When they disagree, say so and give both. Answer in the language of the question.',
  prompt: '{{{sources}}}\n\nThe question: {{question}}',
});

/** A message to answer another. `points`: what it must say; `tone`: how. */
export const reply = defineTemplate({
  name: 'reply',
  description: 'Drafts an answer to a message.',
  system:
    'You draft replies that a person will send under their own name. Answer every question of the message that the points allow, and promise nothing that is not among the points. Where something is needed that you do not know, put it in square brackets, such as [date]. As short as politeness allows. Write in the language of the message. Answer with the text of the reply only.',
  prompt: 'Draft a reply to this message. The tone is {{tone}}. It must say: {{points}}.\n\n{{{message}}}',
  defaults: { tone: 'friendly and to the point' },
});

/** What was decided, and who does what, out of notes or a transcript. */
export const meetingNotes = defineTemplate({
  name: 'meeting-notes',
  description: 'Decisions and tasks out of the notes of a meeting.',
  system:
    'You put notes of meetings in order. Give three Markdown sections: "Decisions", "Tasks" (a list: who, what, until when) and "Open questions". Take only what was said. A task nobody took has "nobody yet" in place of the name; a date nobody named is left out. A section without entries says "None".',
  prompt: '{{{notes}}}',
});

/** All of the above. */
export const builtInTemplates = [
  summarise,
  translate,
  rewrite,
  extract,
  explainCode,
  reviewCode,
  classify,
  brainstorm,
  answerFrom,
  reply,
  meetingNotes,
] as const;
