const extensions: ReadonlyMap<string, string> = new Map([
  ['bash', 'sh'],
  ['csharp', 'cs'],
  ['dockerfile', 'dockerfile'],
  ['golang', 'go'],
  ['javascript', 'js'],
  ['kotlin', 'kt'],
  ['markdown', 'md'],
  ['objective-c', 'm'],
  ['perl', 'pl'],
  ['plaintext', 'txt'],
  ['powershell', 'ps1'],
  ['python', 'py'],
  ['ruby', 'rb'],
  ['rust', 'rs'],
  ['shell', 'sh'],
  ['text', 'txt'],
  ['typescript', 'ts'],
  ['yaml', 'yml'],
]);

/** A name to save code of a language under. The language is a model's word: anything unusual becomes `txt`. */
export function codeFileName(language: string): string {
  const name = language.toLowerCase();
  return `code.${extensions.get(name) ?? (/^[a-z0-9]{1,10}$/.test(name) ? name : 'txt')}`;
}
