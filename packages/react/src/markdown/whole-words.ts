/**
 * How much of a text ends with a whole word: up to the last space, or the last character of a script that is written
 * without spaces.
 */
export function wholeWords(text: string): number {
  for (let end = text.length; end > 0; end -= 1) {
    const char = text[end - 1] ?? '';
    if (/\s/.test(char)) return end;
    // Han, kana, Hangul, Thai, Lao, Khmer, Myanmar.
    if (
      /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]/.test(
        char,
      )
    )
      return end;
  }
  return 0;
}
