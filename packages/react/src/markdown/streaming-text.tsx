import type { ReactElement } from 'react';
import { usePacedText } from './use-paced-text.ts';

/** Props of {@link StreamingText}. */
export interface StreamingTextProps {
  /** The text so far. */
  text: string;
  /** Whether more may come. Default `true`; the whole text shows at once when it is over. */
  streaming?: boolean | undefined;
  /**
   * Characters per second, for a text that is to appear evenly. Then it may be far behind what has arrived. Without it the
   * text shows as it arrives. A reader who asks for reduced motion gets it as it arrives in any case.
   */
  speed?: number | undefined;
}

/**
 * Plain text that grows by whole words: half a word waits for its rest, at most 100 ms. For places where markdown is too
 * much; answers of models want `Markdown`.
 */
export function StreamingText({ text, streaming = true, speed }: StreamingTextProps): ReactElement {
  const shown = usePacedText(text, streaming, speed);
  return (
    <span className="zg-streaming-text" dir="auto" aria-busy={streaming}>
      {shown}
    </span>
  );
}
