import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callTool, error, say, stall, think } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** The program with pipes in place of a terminal, in an empty folder. */
async function start(args: readonly string[], env: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'ziggie-terminal-'));
  const child: ChildProcessWithoutNullStreams = spawn(
    process.execPath,
    ['--conditions=@ziggie/source', '--no-warnings', program, ...args],
    { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, ...env } },
  );
  const seen = { out: '', notes: '' };
  child.stdout.on('data', (data: Buffer) => {
    seen.out += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    seen.notes += data.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const waitFor = (stream: 'out' | 'notes', text: string) =>
    vi.waitFor(() => expect(seen[stream]).toContain(text), 15_000);
  return { child, seen, ended, folder, waitFor };
}

async function setUp(args: readonly string[] = [], env: Record<string, string> = {}) {
  const server = await startFakeOllama({ tokensPerSecond: Infinity });
  onTestFinished(() => server.close());
  const run = (lines: string) =>
    start(args, { OLLAMA_HOST: server.url, ...env }).then((started) => {
      started.child.stdin.end(lines);
      return started;
    });
  const asked = () =>
    server.fake
      .report()
      .requests.filter(({ path }) => path === '/api/chat')
      .map(({ body }) => (body as { messages: { role: string; content: string }[] }).messages);
  return { server, fake: server.fake, run, asked, env: { OLLAMA_HOST: server.url, ...env } };
}

describe('terminal-chat', () => {
  test('talks in turns, one line each: answers on stdout, all else on stderr', async () => {
    const { fake, run, asked } = await setUp(['--system', 'Be brief.']);
    fake.script(say('One.'));
    fake.script(say('Two.'));
    const { seen, ended } = await run('first\n\nsecond\n/exit\nnever\n');
    expect(await ended).toBe(0);
    expect(seen.out).toBe('One.\nTwo.\n');
    expect(seen.notes).toMatch(/This is Ollama at http:\/\/127\.0\.0\.1:\d+\./);
    expect(seen.notes).toMatch(/stand-in:latest · \d tokens? · /);
    expect(asked()[1]?.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'system: Be brief.',
      'user: first',
      'assistant: One.',
      'user: second',
    ]);
    expect(seen.out + seen.notes).not.toContain('\x1b');
  });

  test('runs tools, and asks before one that writes', async () => {
    const { fake, run } = await setUp();
    fake.script([
      callTool('calculate', { expression: '6*7' }),
      callTool('save_note', { name: 'answer', text: '42' }),
    ]);
    fake.script(say('Saved.'));
    const { seen, ended, folder } = await run('Work it out and save it.\ny\n');
    expect(await ended).toBe(0);
    expect(seen.out).toBe('Saved.\n');
    expect(seen.notes).toContain('→ calculate {"expression":"6*7"}');
    expect(seen.notes).toContain('✓ calculate: 42');
    expect(seen.notes).toContain('The model wants to run save_note');
    expect(await readFile(join(folder, 'notes/answer.md'), 'utf8')).toBe('42');
  });

  test('writes nothing when nobody says yes', async () => {
    const { fake, run } = await setUp();
    fake.script(callTool('save_note', { name: 'answer', text: '42' }));
    fake.script(say('As you wish.'));
    const { seen, ended, folder } = await run('Save it.\n');
    expect(await ended).toBe(0);
    expect(seen.notes).toContain('✗ save_note: The user did not allow this call');
    await expect(readFile(join(folder, 'notes/answer.md'))).rejects.toThrow('ENOENT');
  });

  test('shows thinking apart from the answer, and lets no escape sequence through', async () => {
    const { fake, run } = await setUp(['--model', 'stand-in-thinking']);
    fake.script([think('Let me \x1b[2Jsee.'), say('Fine\x1b]52;c;aGk=\x07 \u202eright.')]);
    const { seen, ended } = await run('Hello\n');
    expect(await ended).toBe(0);
    expect(seen.out).toBe('Fine]52;c;aGk= right.\n');
    expect(seen.notes).toContain('(thinking) Let me [2Jsee.');
  });

  test('answers one question about what is piped in', async () => {
    const { fake, run, asked } = await setUp(['Summarise', 'this:']);
    fake.script(say('Short.'));
    const { seen, ended } = await run('A long\ntext.\n');
    expect(await ended).toBe(0);
    expect(seen.out).toBe('Short.\n');
    expect(asked()[0]?.at(-1)?.content).toBe('Summarise this:\n\nA long\ntext.\n');
  });

  test('says what went wrong and what to do, and ends with 1', async () => {
    const { fake, run } = await setUp(['Hello', '--model', 'nope']);
    const { seen, ended } = await run('');
    expect(await ended).toBe(1);
    expect(seen.out).toBe('');
    expect(seen.notes).toContain("model 'nope' not found");
    expect(seen.notes).toContain('Pull it: /pull nope');
    expect(fake.report().requests.length).toBeGreaterThan(0);
  });

  test('a turn that failed is left out of the conversation, and /retry asks the one before', async () => {
    const { fake, run, asked } = await setUp();
    fake.script(say('One.'));
    fake.script(error('invalid options', { status: 400 }));
    fake.script(say('One again.'));
    const { ended } = await run('first\nsecond\n/retry\n');
    expect(await ended).toBe(0);
    expect(asked()[2]?.map(({ content }) => content)).toEqual(['first']);
  });

  test('knows its commands', async () => {
    const { run } = await setUp();
    const { seen, ended } = await run(
      '/help\n/models\n/model 2\n/model nope\n/thinking off\n/tools off\n/use summarise\n/wrong\n',
    );
    expect(await ended).toBe(0);
    for (const words of [
      '/models',
      '●  1 stand-in:latest',
      'Now stand-in-thinking:latest.',
      'There is no model "nope"',
      'Thinking is hidden.',
      'Tools are off.',
      'Say it like this: /use summarise',
      'There is no /wrong.',
    ]) {
      expect(seen.notes).toContain(words);
    }
  });

  test('Ctrl-C stops the answer, so that the GPU stops, and a second one leaves', async () => {
    const { fake, env } = await setUp();
    fake.script([say('Half an answer'), stall()]);
    const { child, ended, waitFor } = await start([], env);
    child.stdin.write('Hello\n');
    await waitFor('out', 'answer');
    child.kill('SIGINT');
    await waitFor('notes', 'stopped');
    await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
  });

  test('paints when it is told to, and not with NO_COLOR', async () => {
    const { fake, run } = await setUp(['Hello'], { FORCE_COLOR: '1' });
    fake.script(say('# Title\nSome **bold** and `code`.\n'));
    const { seen, ended } = await run('');
    await ended;
    expect(seen.out).toBe('\x1b[1mTitle\x1b[22m\nSome \x1b[1mbold\x1b[22m and \x1b[36mcode\x1b[39m.\n');
  });

  test('refuses options that do not exist, with how to use it', async () => {
    const { child, ended, seen } = await start(['--nope'], {});
    child.stdin.end();
    expect(await ended).toBe(2);
    expect(seen.notes).toMatch(/Unknown option '--nope'[\s\S]*Chat with a local model/);
  });

  test('starts on a stand-in when no Ollama answers', async () => {
    const usual = await fetch('http://127.0.0.1:11434/api/version').then(
      () => true,
      () => false,
    );
    if (usual) return;
    const { child, ended, seen } = await start([], {});
    child.stdin.end('/models\n');
    expect(await ended).toBe(0);
    expect(seen.notes).toContain('This is a stand-in with prepared answers');
    expect(seen.notes).toContain('stand-in-thinking:latest');
  });
});
