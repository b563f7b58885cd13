/** Texts that stories and tests show. */

export const question = 'How do I stream tokens without re-rendering the whole thread?';

export const answer = `Keep one store cell per message, and let only the last block of the last message change. Everything above it stays as it was painted, so a selection survives and nothing flickers.

\`\`\`ts
for await (const event of client.chat({ model, messages })) {
  if (event.type === 'text-delta') write(event.text);   // 38 tok/s on the 4090
}
\`\`\`

Measured with \`OLLAMA_NUM_PARALLEL=4\` on one card.`;

export const longAnswer = `## What happens to one token

A token goes through **four places** before you see it. Each of them can wait, and each of them can say so.

1. The *model* writes it: one record of NDJSON.
2. The gateway numbers it and passes it on, without holding it back.
3. The client puts it into the conversation, at most once per frame.
4. The page paints the last block again. The others stay as they are.

### Where time goes

| Phase | Usual | What helps |
|:--|--:|:--|
| Waiting in line | 0 s | more slots |
| Loading the model | 11 s | \`keep_alive\` |
| Reading the prompt | 0.4 s | a shorter conversation |
| Writing | 38 tok/s | a smaller model |

> A slow answer that says what it is doing feels faster than a fast one that does not.

\`\`\`sh
curl http://127.0.0.1:11434/api/ps | jq '.models[].size_vram'
\`\`\`

- [x] measured on one card
- [ ] measured on two

Read more in [the documentation](https://docs.ollama.com), or look at this picture: ![memory over time](https://plots.example/vram.png)`;

export const arabicQuestion = 'كيف أعرض الإجابة أثناء كتابتها؟';
export const arabicAnswer = `أبقِ لكل رسالة **خلية** خاصة بها، ودع الفقرة الأخيرة وحدها تتغير.

- الفقرات السابقة لا تُرسم من جديد.
- التحديد لا يضيع.

\`\`\`ts
conversation.send('Hello');
\`\`\``;

export const thoughts =
  'The reader asks about rendering while text arrives. What matters is that the pin has to be released by intent, not by distance, otherwise a small wheel step is fought by the next token and the view jumps back down.';
