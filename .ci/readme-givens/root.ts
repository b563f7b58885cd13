/** What the fences of README.md take as given. */
import type { ServerKit } from '@ziggie/llm-server-kit';

declare global {
  const kit: ServerKit;
}
