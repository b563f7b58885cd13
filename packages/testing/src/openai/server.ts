import type { Profile } from './profile.ts';

/** What every route of a stand-in for an OpenAI server works with, beside the world. */
export interface OpenAiServer {
  profile: Profile;
  apiKey: string | undefined;
  /** Whether the model is still being loaded after the start. */
  isLoading(): boolean;
}
