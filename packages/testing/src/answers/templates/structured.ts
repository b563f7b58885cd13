import type { Template } from '../topic.ts';

export const steps: Template = ({ subject, heading, opening, notice }) => `## ${heading}, step by step

${opening}I cannot advise you on ${subject}, but I can advise you on getting something that does. ${notice}

1. **Install Ollama.** The installer is at [ollama.com/download](https://ollama.com/download).
2. **Get a model.** About two gigabytes:

   \`\`\`sh
   ollama pull llama3.2
   \`\`\`

3. **Look whether it is there.**

   \`\`\`sh
   ollama list
   \`\`\`

4. **Start this program again.** It looks for Ollama at \`127.0.0.1:11434\` first and takes me only when nobody answers.

> Short of memory? \`llama3.2:1b\` is half the size.`;

export const comparison: Template = ({ subject, heading, opening, notice }) => `### ${heading}, side by side

${opening}Here is how I and a real model compare on **${subject}**:

| | Stand-in | \`llama3.2\` | \`qwen3:8b\` |
| --- | :---: | :---: | :---: |
| Knows about it | no | somewhat | more |
| Thinks first | if asked | no | yes |
| Needs a GPU | no | better | yes |
| Download | 0 GB | 2.0 GB | 5.2 GB |
| Same answer every time | **yes** | no | no |

${notice}

The last row is what I am for: a test that reads my answers today reads the *same* ones tomorrow.`;

export const checklist: Template = ({ subject, opening, notice }) => `### Before we talk about ${subject}

${opening}${notice} This is what stands between you and a real answer:

- [x] a page that shows Markdown
- [x] a server with a queue, limits and a stop button
- [ ] Ollama on this machine or another
- [ ] a model, such as \`llama3.2\`

Things worth trying meanwhile:

- **Reload** this page while I write. The conversation stays.
- **Edit** a question and send it again.
- ~~Ask me for tomorrow's weather.~~ I would not know.`;

export const glossary: Template = ({
  subject,
  heading,
  opening,
  notice,
}) => `## ${heading}: words you will meet

${opening}Whatever ${subject} is about, these words come along when a model explains it.

- **Token**: a piece of a word. This answer has about two hundred.
- **Context**: how much a model can read at once. \`4096\` tokens unless you ask for more.
- **Slot**: one answer being written. More slots, more memory.
- **Keep-alive**: how long a model stays in memory after the last answer.
  - Five minutes, if nobody says otherwise.
  - \`-1\` means for ever.

${notice}`;
