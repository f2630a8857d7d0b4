// Conversations of one browser: what is not sent yet, and two tabs that have the same ones. The node is a simulated one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, gone, message, say, seen, startBrowser } from './lib/browser.mjs';
import { built_console } from './lib/pages.mjs';
import { simulated_node } from './lib/simulated_node.mjs';

let browser, node;
before(async () => {
  browser = await startBrowser();
  node = await simulated_node({ dist: built_console, nodes: 2 });
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
