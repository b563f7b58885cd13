import type { VoiceAdapter } from './voice-adapter.ts';

/** What is used of the browser's recogniser; the types of the platform do not know it everywhere. */
interface Recogniser {
  continuous: boolean;
  interimResults: boolean;
  lang: string;
  onresult: ((event: RecogniserResult) => void) | null;
  onerror: ((event: { readonly error: string }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  stop(): void;
}

interface RecogniserResult {
  readonly resultIndex: number;
  readonly results: ArrayLike<{ readonly isFinal: boolean; readonly 0: { readonly transcript: string } }>;
}

/**
 * The recogniser of the browser (Web Speech): Chrome, Edge and Safari have one. Chrome and Edge send what is said to a
 * service of their makers, so tell your users, or bring an adapter of your own.
 */
export function createWebSpeech(): VoiceAdapter {
  return {
    isAvailable: () => recogniser() !== undefined,
    listen(listener, { locale }) {
      const Recogniser = recogniser();
      if (Recogniser === undefined) {
        listener.onEnd('unavailable');
        return () => {};
      }
      let failure: Parameters<typeof listener.onEnd>[0] | null = null;
      let wasStopped = false;
      const hearing = new Recogniser();
      hearing.continuous = true;
      hearing.interimResults = true;
      hearing.lang = locale ?? document.documentElement.lang;
      hearing.onresult = ({ resultIndex, results }) => {
        let interim = '';
        for (let index = resultIndex; index < results.length; index++) {
          const result = results[index];
          if (result === undefined) continue;
          if (result.isFinal) listener.onFinal(result[0].transcript);
          else interim += result[0].transcript;
        }
        listener.onInterim(interim);
      };
      hearing.onerror = ({ error }) => {
        failure = reasons[error] ?? 'failed';
      };
      hearing.onend = () => listener.onEnd(failure ?? (wasStopped ? 'stopped' : 'silence'));
      try {
        hearing.start();
      } catch {
        listener.onEnd('failed');
        return () => {};
      }
      return () => {
        wasStopped = true;
        hearing.stop();
      };
    },
  };
}

const reasons: Readonly<Record<string, 'stopped' | 'silence' | 'denied' | 'unavailable'>> = {
  aborted: 'stopped',
  'no-speech': 'silence',
  'not-allowed': 'denied',
  'service-not-allowed': 'denied',
  'audio-capture': 'unavailable',
  'language-not-supported': 'unavailable',
};

function recogniser(): (new () => Recogniser) | undefined {
  const page = globalThis as unknown as Record<string, (new () => Recogniser) | undefined>;
  return page['SpeechRecognition'] ?? page['webkitSpeechRecognition'];
}
