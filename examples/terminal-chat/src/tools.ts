import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineTool, type Tool } from '@ziggie/llm-client/tools';
import { z } from 'zod';
import { calculate } from './calculate.ts';

/** What the model may call here. `folder`: where notes go, after the user has agreed. */
export function createTools(folder: string): readonly Tool[] {
  return [
    defineTool({
      name: 'get_time',
      description:
        'The date and time now in a time zone such as "Europe/Rome". Use it for every question about now.',
      parameters: z.object({ zone: z.string().describe('IANA name of the time zone') }),
      repeatable: true,
      execute: ({ zone }) =>
        new Date().toLocaleString('en', { timeZone: zone, dateStyle: 'full', timeStyle: 'long' }),
    }),
    defineTool({
      name: 'calculate',
      description: 'The exact value of an arithmetic expression with + - * / ^ % and brackets.',
      parameters: z.object({ expression: z.string().max(1_000) }),
      execute: ({ expression }) => calculate(expression),
    }),
    defineTool({
      name: 'save_note',
      description: 'Saves a text as a file for the user. Only when the user asks for it.',
      parameters: z.object({ name: z.string().regex(/^[\w-]{1,64}$/), text: z.string() }),
      needsApproval: true,
      execute: async ({ name, text }) => {
        await mkdir(folder, { recursive: true });
        const file = join(folder, `${name}.md`);
        // Never over something that is there.
        await writeFile(file, text, { flag: 'wx' });
        return `Saved as ${file}`;
      },
    }),
  ];
}
