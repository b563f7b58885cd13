/** What the fences of server-kit/README.md take as given: names of earlier fences and of the host app. */
import type { readFileSync as readFile } from 'node:fs';
import type { Server } from 'node:http';
import type * as Kit from '@ziggie/llm-server-kit';
import type { Express } from 'express';

declare global {
  const createServerKit: typeof Kit.createServerKit;
  const configFromEnv: typeof Kit.configFromEnv;
  const ContentRefused: typeof Kit.ContentRefused;
  const permissions: typeof Kit.permissions;
  const readFileSync: typeof readFile;
  const kit: Kit.ServerKit;
  const auth: NonNullable<Kit.ServerKitOptions['auth']>;
  /** The members that an earlier fence shows. */
  const others: Kit.ServerKitOptions;
  const jwt: NonNullable<NonNullable<Kit.ServerKitOptions['auth']>['jwt']>;
  const stores: NonNullable<Kit.ServerKitOptions['stores']>;
  const app: Express;
  const server: Server;
  const user: { id: string };
  const authorization: string;
  function tooMuch(body: unknown): boolean;
}
