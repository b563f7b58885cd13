import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useAnnounce } from '../announce/announce-context.ts';
import { MicrophoneIcon } from '../icons/action-icons.tsx';
import { useSession } from '../provider/session.ts';
import { useMoreText } from '../text/use-more-text.ts';
import type { VoiceAdapter } from './voice-adapter.ts';

export interface VoiceButtonProps {
  adapter: VoiceAdapter;
  locale: string | undefined;
  onDone: () => void;
}

/** Says what is spoken into the message, which is read before it is sent. */
export function VoiceButton({ adapter, locale, onDone }: VoiceButtonProps): ReactElement | null {
  const { strings } = useMoreText();
  const announce = useAnnounce();
  const [isListening, setIsListening] = useState(false);
  const [trouble, setTrouble] = useState('');
  const { composers, conversation } = useSession();
  const draft = composers.get(conversation.id);
  const stop = useRef<(() => void) | null>(null);
  // Another conversation, or none: nobody is spoken to any more.
  // biome-ignore lint/correctness/useExhaustiveDependencies: ends with the draft that it began in
  useEffect(() => () => stop.current?.(), [draft]);
  if (!adapter.isAvailable()) return null;

  const start = () => {
    // What stood there, what was heard for good, and what is being heard.
    let settled = draft.get().text;
    let shown = settled;
    const show = (heard: string) => {
      // The reader changed the words meanwhile: those are what it goes on from.
      if (draft.get().text !== shown) settled = draft.get().text;
      shown = joined(settled, heard);
      draft.setText(shown);
    };
    let isOver = false;
    setTrouble('');
    setIsListening(true);
    announce(strings.voiceListening);
    const end = adapter.listen(
      {
        onInterim: (text) => {
          if (!isOver) show(text);
        },
        onFinal: (text) => {
          if (isOver) return;
          show(text);
          settled = shown;
        },
        onEnd: (reason) => {
          if (isOver) return;
          isOver = true;
          stop.current = null;
          setIsListening(false);
          const words = { ...strings.voiceTroubles, stopped: '', silence: '' }[reason];
          setTrouble(words);
          announce(words === '' ? strings.voiceEnded : words);
          onDone();
        },
      },
      { locale },
    );
    stop.current = isOver ? null : end;
  };

  const label = isListening ? strings.voiceStop : strings.voiceStart;
  return (
    <>
      <button
        type="button"
        className="zg-icon-button zg-voice"
        aria-label={label}
        title={label}
        aria-pressed={isListening}
        onClick={() => (isListening ? stop.current?.() : start())}
      >
        <MicrophoneIcon />
      </button>
      {trouble === '' ? null : <span className="zg-voice-trouble">{trouble}</span>}
    </>
  );
}

function joined(before: string, heard: string): string {
  const words = heard.trim();
  if (words === '') return before;
  return before === '' || /\s$/.test(before) ? before + words : `${before} ${words}`;
}
