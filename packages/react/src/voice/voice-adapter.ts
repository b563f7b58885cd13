/** What a recogniser hears, as it hears it. */
export interface VoiceListener {
  /** Words that may still change; they replace the ones before. */
  onInterim(text: string): void;
  /** Words that stay. */
  onFinal(text: string): void;
  /** It listens no more; called once. `denied`: the microphone is not allowed. */
  onEnd(reason: 'stopped' | 'silence' | 'denied' | 'unavailable' | 'failed'): void;
}

/** Turns speech into text: of the browser, or of a service of the host app's. */
export interface VoiceAdapter {
  /** `false`: there is none here, and no button. */
  isAvailable(): boolean;
  /** Begins to listen; must not throw. Returns how to stop, which still delivers what was heard last. */
  listen(listener: VoiceListener, options: { readonly locale?: string | undefined }): () => void;
}
