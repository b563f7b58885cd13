import type { Template } from '../topic.ts';

export const greeting: Template = ({ opening, notice }) => `${opening}Hello! 👋

${notice}

You can still try everything this page does:

- **Stop** me in the middle of an answer; the slot is free at once.
- Ask for a *table*, for *code* or for *steps*, and see how each is painted.
- Open a second window and ask there too: with one slot, the second question waits in line.

What shall it be?`;

export const overview: Template = ({ subject, heading, opening, notice }) => `## ${heading}

${opening}A model would tell you about **${subject}** here. I can only show the frame that such an answer comes in.

${notice}

### What you are seeing

1. Your question went to the server as one small JSON document.
2. The scheduler found a free slot for the model.
3. Each word travels as a record of its own and is painted *when it arrives*.

### What a real answer would add

- facts about ${subject}
- examples that fit your question
- now and then a confident mistake, so check what matters

More in the [Ollama documentation](https://docs.ollama.com).`;

export const essay: Template = ({ subject, heading, opening, notice }) => `### On ${subject}

${opening}There is a good deal to say about *${subject}*, and I know none of it. ${notice}

**What streaming feels like.** An answer of three hundred words takes a few seconds either way. Shown at the end, those seconds are empty; shown word by word, they are reading time. That is the whole trick.

**What happens when you stop.** The connection closes, the server notices, and the graphics card turns to the next person. Nothing of what you did not want is computed.

---

*Ask me again about ${heading} with a model behind me, and compare.*`;

export const image: Template = ({ imageCount, subject, opening, notice }) => {
  const pictures = imageCount === 1 ? 'one picture' : `${imageCount} pictures`;
  return `### I received ${pictures}

${opening}You sent ${pictures} and asked about **${subject}**. ${notice} So I did not look at anything, and I will not pretend that I did.

What a vision model does with a picture:

1. It is scaled and cut into patches.
2. Each picture becomes some hundred tokens, placed before your words.
3. From there on it is text like any other.

| Model | What it sees |
| --- | --- |
| \`gemma3\` | photos, charts, pages |
| \`llama3.2-vision\` | photos, diagrams |
| this one | nothing at all |`;
};
