import type { Template } from '../topic.ts';

export const typescript: Template = ({ subject, opening, notice }) => `### A little TypeScript

${opening}I cannot write code about ${subject}, but here is code that *works*. It asks the server I am standing in for:

\`\`\`ts
const response = await fetch('http://127.0.0.1:11434/api/chat', {
  method: 'POST',
  body: JSON.stringify({
    model: 'llama3.2',
    stream: false,
    messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  }),
});
const { message } = await response.json();
console.log(message.content);
\`\`\`

With \`stream: true\` the answer comes as lines, one JSON record each. The last one has \`"done": true\`; an answer without it **broke off**.

${notice}`;

export const python: Template = ({ subject, heading, opening, notice }) => `### ${heading}, in Python

${opening}${notice} Until then, this prints an answer while it is being written:

\`\`\`python
import json
import urllib.request

request = urllib.request.Request(
    "http://127.0.0.1:11434/api/generate",
    data=json.dumps({"model": "llama3.2", "prompt": "Hello"}).encode(),
)
with urllib.request.urlopen(request) as answer:
    for line in answer:
        print(json.loads(line)["response"], end="", flush=True)
\`\`\`

Three things to know before you use it for ${subject}:

1. A line is one *record*, not one word.
2. An error may come as a line too: look for \`"error"\`.
3. Closing the connection stops the model.`;

export const configuration: Template = ({ subject, heading, opening, notice }) => `## Settings for ${subject}

${opening}Every request can carry options. A real model would follow all of these; I follow \`num_predict\` and \`stop\`.

\`\`\`json
{
  "model": "llama3.2",
  "options": {
    "temperature": 0.2,
    "num_ctx": 8192,
    "num_predict": 256,
    "stop": ["END"]
  },
  "keep_alive": "10m"
}
\`\`\`

| Option | What it does |
| --- | --- |
| \`temperature\` | lower is more alike, higher more varied |
| \`num_ctx\` | how many tokens the model can read |
| \`num_predict\` | how many it may write |

> **${heading}** is a subject of yours, not of mine. ${notice}`;
