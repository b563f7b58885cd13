import { type Variable, variables } from './variables.ts';

const all = Object.values(variables) as readonly Variable<unknown>[];

/** The variables as a Markdown table, for docs/configuration.md. */
export function environmentTable(): string {
  const rows = all.map(({ name, secret, default: byDefault, about }) => {
    const names = secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
    return `| ${names} | ${byDefault} | ${about} |`;
  });
  return ['| variable | default | |', '|---|---|---|', ...rows].join('\n');
}

/** The same as an example of a `.env` file: everything there, nothing set. */
export function environmentExample(): string {
  return `${all.map(({ name, default: byDefault, about }) => `# ${about.replaceAll('`', '')}${byDefault === '' ? '' : ` (default: ${byDefault})`}\n# ${name}=`).join('\n')}\n`;
}
