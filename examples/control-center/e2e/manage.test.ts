import { callTool, say } from '@ziggie/llm-testing';
import { expect, it, onTestFinished } from 'vitest';
import { ask, modelIsChosen, openStage, parts, withChromium } from './harness.ts';

withChromium();

/** The page as somebody who manages the models sees it, on a real kit. */
async function openAsAdmin(standIn = {}) {
  const stage = await openStage({ standIn });
  onTestFinished(stage.close);
  const { page, url } = stage;
  await page.goto(`${url}?manage`);
  await modelIsChosen(page);
  const asked = (path: string) => stage.fake.report().requests.filter((request) => request.path === path);
  const open = () => page.getByRole('button', { name: /^Model: / }).click();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  return { ...stage, asked, open, button };
}

it('the picker loads a model through the kit and frees it again', async () => {
  const { open, button, asked, page, complaints } = await openAsAdmin();
  await open();
  await button('Load into memory').click();
  await button('Free its memory').click();
  await button('Load into memory').waitFor();
  const bodies = asked('/api/generate').map(({ body }) => body as { keep_alive?: number });
  expect(bodies.map(({ keep_alive }) => keep_alive)).toEqual([undefined, 0]);
  await page.keyboard.press('Escape');
  expect(complaints).toEqual([]);
});

it('a pull shows its progress, can be cancelled, goes on, and the model is in the list', async () => {
  const { page, open, button, asked, fake, complaints } = await openAsAdmin({
    pullBytesPerSecond: 400_000_000,
  });
  await open();
  const field = page.getByRole('textbox', { name: 'Name of a model to pull' });
  await field.fill('llama3.2:1b');
  await field.press('Enter');
  await page.getByRole('progressbar', { name: 'Pulling llama3.2:1b' }).waitFor();
  await page.getByText(/MB of/).waitFor();
  await button('Cancel').click();
  await page.getByText('cancelled').waitFor();
  await expect.poll(() => fake.report().disconnects.length).toBe(1);
  await field.fill('llama3.2:1b');
  await field.press('Enter');
  await page.getByText('is here', { exact: true }).waitFor({ timeout: 20_000 });
  await page.getByRole('option', { name: /llama3\.2:1b/ }).waitFor();
  expect(asked('/api/pull').map(({ body }) => body)).toEqual([
    { model: 'llama3.2:1b', stream: true },
    { model: 'llama3.2:1b', stream: true },
  ]);
  expect(complaints).toEqual([]);
});

it('a name that leads elsewhere is refused, and no model server hears of it', async () => {
  const { page, open, asked } = await openAsAdmin();
  await open();
  const field = page.getByRole('textbox', { name: 'Name of a model to pull' });
  await field.fill('evil.example/library/llama3.2');
  await field.press('Enter');
  await page.getByText('evil.example/library/llama3.2').waitFor();
  await page.getByText('could not be pulled').waitFor();
  // What else can be done stays.
  expect(await field.count()).toBe(1);
  expect(asked('/api/pull')).toEqual([]);
});

it('a tool on models asks first and goes through the kit', async () => {
  const { page, fake, button, asked } = await openAsAdmin();
  fake.script([callTool('list_models', {}), callTool('delete_model', { model: 'stand-in-vision:latest' })]);
  fake.script(say('It is gone.'));
  await ask(page, 'Delete the vision model');
  await button('Allow once').waitFor();
  expect(asked('/api/delete')).toEqual([]);
  await button('Allow once').click();
  await parts.answers(page).getByText('It is gone.').waitFor();
  expect(asked('/api/delete').map(({ body }) => body)).toEqual([{ model: 'stand-in-vision:latest' }]);
});

it('a visitor has none of it, not even by hand', async () => {
  const { page, close, fake } = await openStage();
  onTestFinished(close);
  await modelIsChosen(page);
  const statuses = await page.evaluate(async () => {
    const { token } = (await (await fetch('/demo/token', { method: 'POST' })).json()) as { token: string };
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const post = (path: string) =>
      fetch(`/api/llm/admin/models/${path}`, { method: 'POST', headers, body: '{"model":"llama3.2:1b"}' });
    const answers = await Promise.all([post('pull'), post('load'), post('unload')]);
    return answers.map(({ status }) => status);
  });
  expect(statuses).toEqual([403, 403, 403]);
  expect(fake.report().requests.filter(({ method }) => method !== 'GET')).toEqual([]);
});
