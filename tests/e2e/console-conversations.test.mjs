// Conversations of one browser: what is not sent yet, and two tabs that have the same ones. The node is a simulated one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, answers, gone, live, message, say, seen, startBrowser, until } from './lib/browser.mjs';
import { built_console } from './lib/pages.mjs';
import { simulated_node } from './lib/simulated_node.mjs';

const endless = `echo ${'word '.repeat(50)}move ${'word '.repeat(50)}`; // it rests in its middle

let browser, node;
before(async () => {
  browser = await startBrowser();
  node = await simulated_node({ dist: built_console, nodes: 2 });
  node.mesh.pause_ms = 600_000;
});
after(async () => {
  await browser?.stop();
  node?.close();
});

const list = (page) => page.getByRole('complementary', { name: 'Conversations' }).getByRole('listitem');
const entry = (page, title) => list(page).getByRole('button', { name: title });
const files = (page) => page.getByRole('list', { name: 'Attached files' }).last();
const begin = (page) => page.getByRole('button', { name: 'New', exact: true }).click();

async function give(page, name) {
  await page.locator('input[type=file][multiple]').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from('A starling is a bird.') });
  await seen(files(page).getByText(name));
}

test('what is written and attached stays with its conversation until it is sent', async () => {
  await browser.look(node.url, async (page) => {
    await say(page, 'echo first');
    await answered(page);
    await message(page).fill('echo half a question');
    await give(page, 'birds.txt');
    await begin(page);
    await gone(page.getByText('birds.txt'));
    assert.equal(await message(page).inputValue(), '');
    await message(page).fill('echo another half');
    await give(page, 'ships.txt');

    await entry(page, 'echo first').click();
    await seen(files(page).getByText('birds.txt'));
    assert.equal(await message(page).inputValue(), 'echo half a question');
    await begin(page); // back to what was begun
    await seen(files(page).getByText('ships.txt'));
    assert.equal(await message(page).inputValue(), 'echo another half');

    await entry(page, 'echo first').click();
    await seen(files(page).getByText('birds.txt'));
    await page.getByRole('button', { name: 'Send' }).click();
    await seen(page.getByRole('article', { name: 'You' }).last().getByText('birds.txt'));
    assert.equal(await message(page).inputValue(), '');
    assert.equal(await page.locator('.composer .chips').count(), 0);
    await begin(page);
    await seen(page.locator('.composer').getByText('ships.txt'));
  });
});

/** A second tab of the same browser. */
async function second_tab(page) {
  const other = await page.context().newPage();
  await other.goto(node.url);
  await live(other);
  return other;
}

test('two tabs: the list of one follows the other, and a conversation that is open in both is the same', async () => {
  await browser.look(node.url, async (page) => {
    const other = await second_tab(page);
    await say(page, 'echo first');
    await answered(page);
    await entry(other, 'echo first').click();
    await seen(answers(other).last().getByText('first', { exact: true }));
    await say(page, 'echo second');
    await seen(answers(other).nth(1).getByText('second', { exact: true }));
    await say(other, 'echo third');
    await seen(answers(page).nth(2).getByText('third', { exact: true }));

    await page.getByLabel('This conversation', { exact: true }).click();
    await page.getByRole('button', { name: 'Rename…' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('lighthouse');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await seen(entry(other, 'lighthouse'));
    await other.close();
    await page.reload();
    await entry(page, 'lighthouse').click();
    await seen(answers(page).nth(2).getByText('third', { exact: true }));
    assert.equal(await answers(page).count(), 3);
  });
});

test('two tabs: an answer grows in both, is stopped from either, and a deleted conversation stays away', async () => {
  await browser.look(node.url, async (page) => {
    const other = await second_tab(page);
    await say(page, endless);
    await seen(entry(other, /^echo word/));
    await entry(other, /^echo word/).click();
    await until(async () => (await answers(other).last().innerText()).length > 20, 'it does not grow in the other tab');
    await other.getByRole('button', { name: 'Stop' }).click();
    await seen(answers(page).last().getByText('Stopped.'));
    await seen(answers(other).last().getByText('Stopped.'));

    await page.getByRole('button', { name: 'Answer once more' }).click();
    await seen(entry(other, /answering$/));
    await other.getByLabel('This conversation', { exact: true }).click();
    await other.getByRole('button', { name: 'Delete…' }).click();
    await other.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await gone(entry(page, /^echo word/));
    await seen(page.getByText('This conversation was deleted in another tab.'));
    await page.reload();
    await live(page);
    assert.equal(await list(page).count(), 0);
    assert.equal(await list(other).count(), 0);
  });
});

test('a tab that is closed in the middle of its answer: the other says so, and can go on with it', async () => {
  await browser.look(node.url, async (page) => {
    const other = await second_tab(page);
    await say(other, endless);
    await entry(page, /^echo word/).click();
    await until(async () => (await answers(page).last().innerText()).length > 20, 'it does not grow in the other tab');
    await other.close();
    await seen(answers(page).last().getByText('The page was closed before the answer had ended.'));
    await seen(answers(page).last().getByRole('button', { name: 'Continue' }));
  });
});

test('of very many conversations the newest are listed, and the others on request', async () => {
  await browser.look(node.url, async (page) => {
    const conversations = Array.from({ length: 1_000 }, (_, i) => ({ id: `c${i}`, title: `night ${i}`, updated: i + 1, messages: [{ role: 'user', text: 'x' }] }));
    const file = JSON.stringify({ format: 'starling-conversations', conversations });
    await page.getByLabel('Conversations as JSON').setInputFiles({ name: 'many.json', mimeType: 'application/json', buffer: Buffer.from(file) });
    await seen(page.getByText('1000 conversations imported.'));
    await seen(entry(page, /^night 999/));
    assert.equal(await entry(page, /^night 5 /).count(), 0);
    await entry(page, /^Show older/).click();
    await entry(page, /^night 5 /).click();
    await seen(page.getByRole('article', { name: 'You' }));
  });
});
