import { lazyPart } from '../parts/lazy-part.tsx';
import type { VoiceButtonProps } from './voice-button.tsx';

/** Fetched only where the host app wants it. */
export const LazyVoiceButton = lazyPart<VoiceButtonProps>(() =>
  import('./voice-button.tsx').then(({ VoiceButton }) => VoiceButton),
);
