// The models page with real files and a hub of our own: what a click loads, fetches and unloads, and what goes wrong.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { answered, goTo, gone, live, say, seen, startBrowser, until } from './lib/browser.mjs';
import { startHub } from './lib/hub.mjs';
import { startServer, temporaryDirectory } from './lib/server.mjs';
import { models } from './lib/split.mjs';

const patient = { timeout: 180_000 };

let browser, dir, tale, hub, node;
before(async () => {
  dir = temporaryDirectory();
  tale = path.join(dir, 'tale.gguf');
  copyFileSync(path.join(models, 'starter.gguf'), tale);
  hub = await startHub(readFileSync(tale));
  [browser, node] = await Promise.all([startBrowser(), startServer({ args: ['--name', 'desk', '--hub-url', hub.url] })]);
});
after(async () => {
  await browser?.stop();
  await node?.stop();
  hub?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const row = (page, id) => page.getByRole('listitem').filter({ has: page.locator('strong').getByText(id, { exact: true }) });
const hereOf = async (id) => (await node.json('/api/models')).find((one) => one.id === id)?.here;
const becomes = (page, id, state) => seen(row(page, id).getByText(state, { exact: true }));

async function add(page, reference) {
  await page.getByRole('button', { name: 'Add a model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  await dialog.getByRole('textbox', { name: 'Which model' }).fill(reference);
  await dialog.getByRole('button', { name: 'Load it' }).click();
  return dialog;
}

async function unload(page, id) {
  await row(page, id).getByRole('button', { name: `Unload ${id}` }).click();
}

test('a file is loaded by its path, answers in the chat, and is unloaded', patient, async () => {
  await browser.look(`${node.url}/#/models`, async (page) => {
    await becomes(page, 'starter', 'Ready');
    await gone(await add(page, tale));
    await becomes(page, 'tale', 'Ready');
    assert.equal(await hereOf('tale'), 'ready');
    await seen(row(page, 'tale').getByText(/^\d+(\.\d)? MB$/));
    await seen(row(page, 'tale').getByText('context of 2,048 tokens'));
    await seen(row(page, 'tale').getByText('not used yet'));

    await goTo(page, 'Chat');
    await seen(page.getByRole('heading', { name: 'Add a model of your own (done)' }));
    await page.getByRole('combobox', { name: 'Model' }).selectOption('tale');
    await say(page, 'Who are you?');
    assert.match(await (await answered(page)).locator('.facts').innerText(), /tale/);

    await goTo(page, 'Models');
    await seen(row(page, 'tale').getByText(/request/));
    await unload(page, 'tale');
    const dialog = page.getByRole('dialog', { name: 'Unload tale?' }); // it was used a moment ago
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    assert.equal(await hereOf('tale'), 'ready');
    await unload(page, 'tale');
    await dialog.getByRole('button', { name: 'Unload', exact: true }).click();
    await becomes(page, 'tale', 'On disk');
    await row(page, 'tale').getByRole('button', { name: 'Load tale' }).click();
    await becomes(page, 'tale', 'Ready');
  });
});

test('a hub reference is fetched, with its progress; a failure says why, and can be tried again', patient, async () => {
  await browser.look(`${node.url}/#/models`, async (page) => {
    hub.faults.missing = true;
    await gone(await add(page, 'hf://owner/repository/fetched.gguf'));
    await becomes(page, 'fetched', 'Failed');
    const { failure } = (await node.json('/api/models')).find((one) => one.id === 'fetched');
    await seen(row(page, 'fetched').getByText(failure));
    hub.faults.missing = false;
    let release;
    hub.faults.held = new Promise((resolve) => (release = resolve));
    await row(page, 'fetched').getByRole('button', { name: 'Try again fetched' }).click();
    const progress = row(page, 'fetched').getByRole('progressbar', { name: 'fetched loads' });
    await seen(progress);
    await until(async () => {
      const percent = Number(await progress.getAttribute('value'));
      return percent > 0 && percent < 100;
    }, 'it does not tell how far it is');
    await seen(row(page, 'fetched').getByText(/^Loading \d+ %$/));
    await row(page, 'fetched').getByRole('button', { name: 'Give up fetched' }).click();
    await seen(page.getByText('fetched is no longer being loaded.'));
    await gone(row(page, 'fetched'));
    await gone(await add(page, 'hf://owner/repository/fetched.gguf'));
    await seen(progress);
    release();
    await becomes(page, 'fetched', 'Ready');
    await gone(progress);
    await unload(page, 'fetched');
    await becomes(page, 'fetched', 'On disk');
    assert.ok(hub.asked.length > 0, 'the hub was not asked');
  });
});

test('what is no model is refused beside the field', patient, async () => {
  const garbage = path.join(dir, 'garbage.gguf');
  writeFileSync(garbage, 'not a model at all');
  await browser.look(`${node.url}/#/models`, async (page) => {
    await live(page);
    const dialog = await add(page, garbage);
    await seen(dialog.getByRole('alert').getByText(/GGUF/));
    await dialog.getByRole('textbox', { name: 'Which model' }).fill('http://elsewhere.example/a.gguf');
    await seen(dialog.getByText('Starling fetches from the hub only: hf://owner/repo/file.gguf.'));
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await row(page, 'garbage').count(), 0);
  });
});

test('where a model would go is drawn, with the reason', patient, async () => {
  await browser.look(`${node.url}/#/models`, async (page) => {
    await row(page, 'starter').getByRole('button', { name: 'Where would it go? starter' }).click();
    const dialog = page.getByRole('dialog', { name: 'Where would starter go?' });
    await seen(dialog.getByText('whole, on one machine'));
    await seen(dialog.getByRole('listitem').getByRole('link', { name: 'desk' }));
    await seen(dialog.getByText('layers 0–7'));
    await dialog.getByText('Under other conditions').click();
    await dialog.getByRole('combobox', { name: 'Machines' }).selectOption('2');
    await dialog.getByRole('button', { name: 'Ask again' }).click();
    await seen(dialog.getByText('It can’t be placed now').or(dialog.getByText('The node can’t say')));
  });
});
