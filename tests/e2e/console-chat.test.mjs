// The chat of the console with real models and nodes, as somebody uses it who reads, stops, comes back and takes away.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { answered, answers, kept, lengthenAnswers, live, message, say, seen, startBrowser, until } from './lib/browser.mjs';
import { startMesh } from './lib/mesh.mjs';
import { eventually } from './lib/server.mjs';

const long = 1800; // tokens: seconds, so that much is left when something happens after the first few

let browser, mesh, first, second, desk;
before(async () => {
  browser = await startBrowser();
  mesh = await startMesh({ workers: 2, clients: 1, settings: { slots: 2 } });
  [first, second] = mesh.workers;
  [desk] = mesh.clients;
});
after(async () => {
  await browser?.stop();
  await mesh?.stop();
});

const textOf = (answer) => answer.locator('.markdown').innerText();
const busy = async (...nodes) => (await Promise.all(nodes.map((node) => node.server.engine()))).reduce((sum, one) => sum + one.busy, 0);
const conversations = (page) => page.getByRole('complementary', { name: 'Conversations' }).getByRole('listitem');

/** Waits until the answer that is coming has so many characters; gives what is there. */
async function grown(page, characters) {
  let text = '';
  await until(async () => (text = await textOf(answers(page).last())).length > characters, 'the answer does not grow');
  return text;
}

async function choose(page, menu, item) {
  await page.getByLabel(menu, { exact: true }).click();
  await page.getByRole('button', { name: item, exact: true }).click();
}

test('the text grows; Stop keeps what came and frees the slot; once more gives another answer', async () => {
  await browser.look(first.server.url, async (page) => {
    await lengthenAnswers(page, long);
    await say(page, 'Tell me a story about a lighthouse.');
    const early = await grown(page, 40);
    const later = await grown(page, early.length);
    assert.ok(later.length > early.length);
    await page.getByRole('button', { name: 'Stop' }).click();
    const stopped = await answered(page);
    await seen(stopped.getByText('Stopped.'));
    const kept = await textOf(stopped);
    assert.ok(kept.startsWith(early.slice(0, 20)), kept);
    assert.ok(await eventually(async () => (await busy(first, second)) === 0, 30_000), 'the node goes on for nobody');

    await page.unroute('**/v1/chat/completions');
    await page.getByRole('button', { name: 'Answer once more' }).click();
    await until(async () => (await answers(page).count()) === 1 && !(await answers(page).last().getByText('Stopped.').isVisible()), 'the answer stays');
    const another = await answered(page);
    assert.ok((await textOf(another)).length > 0);
    assert.match(await another.locator('.facts').innerText(), /worker[12]\s*starter\s*[\d.]+ tokens\/s/);
  });
});

test('a conversation outlives a reload, is exported with its text, and is deleted', async () => {
  await browser.look(first.server.url, async (page) => {
    await say(page, 'Write a short poem about the sea.');
    const text = await textOf(await answered(page));
    await until(async () => (await conversations(page).count()) === 1, 'the conversation is not listed');
    await kept(page);
    await page.reload();
    await conversations(page).getByRole('button', { name: /poem about the sea/ }).click();
    assert.equal(await textOf(await answered(page)), text);

    const downloads = {};
    for (const [item, ending] of [['Export as Markdown', 'md'], ['Export as JSON', 'json']]) {
      const [download] = await Promise.all([page.waitForEvent('download'), choose(page, 'This conversation', item)]);
      assert.equal(download.suggestedFilename(), `write-a-short-poem-about-the-sea.${ending}`);
      downloads[ending] = readFileSync(await download.path(), 'utf8');
    }
    const [, answer] = JSON.parse(downloads.json).conversations[0].messages;
    assert.equal(answer.state, 'done');
    assert.ok(downloads.md.includes('Write a short poem about the sea.') && downloads.md.includes(answer.text), downloads.md);

    await choose(page, 'This conversation', 'Delete…');
    await page.getByRole('dialog', { name: 'Delete this conversation?' }).getByRole('button', { name: 'Delete' }).click();
    await until(async () => (await conversations(page).count()) === 0, 'the conversation is still listed');
    await page.reload();
    await live(page);
    assert.equal(await conversations(page).count(), 0);
    await page.getByLabel('Conversations as JSON').setInputFiles({ name: 'taken.json', mimeType: 'application/json', buffer: Buffer.from(downloads.json) });
    await conversations(page).getByRole('button', { name: /poem about the sea/ }).click();
    assert.equal(await textOf(await answered(page)), text);
  });
});

test('what is set under Advanced is what the node is asked', async () => {
  await browser.look(desk.server.url, async (page) => {
    const asked = [];
    page.on('request', (request) => request.url().endsWith('/v1/chat/completions') && asked.push(request.postDataJSON()));
    await until(async () => (await page.getByRole('combobox', { name: 'Model' }).getByRole('option', { name: /^starter/ }).count()) === 1, 'the model is not offered');
    await page.getByRole('combobox', { name: 'Model' }).selectOption('starter');
    await page.getByRole('button', { name: 'Advanced' }).click();
    const dialog = page.getByRole('dialog', { name: 'Advanced' });
    await dialog.getByRole('textbox', { name: 'System prompt' }).fill('You tell of birds.');
    await dialog.getByRole('spinbutton', { name: /^Temperature/ }).fill('0');
    await dialog.getByRole('spinbutton', { name: /^Longest answer/ }).fill('5');
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.locator('input[type=file][multiple]').setInputFiles({ name: 'birds.txt', mimeType: 'text/plain', buffer: Buffer.from('A starling is a bird.') });
    await seen(page.getByRole('list', { name: 'Attached files' }).getByText('birds.txt'));
    await say(page, 'Who sings?');
    const answer = await answered(page);
    await seen(answer.getByText('The answer has reached its longest length.'));
    assert.match(await answer.locator('.facts').innerText(), /5 tokens/);
    assert.equal(asked[0].model, 'starter');
    assert.deepEqual([asked[0].temperature, asked[0].max_tokens], [0, 5]);
    assert.deepEqual(asked[0].messages[0], { role: 'system', content: 'You tell of birds.' });
    assert.match(asked[0].messages[1].content, /birds\.txt\nA starling is a bird\.\n```\n\nWho sings\?$/);
  });
});

test('a failure is told in the node\'s own sentence', async () => {
  await browser.look(first.server.url, async (page) => {
    await message(page).fill('word '.repeat(20_000));
    await page.getByRole('button', { name: 'Send' }).click();
    const answer = await answered(page);
    const refused = await first.server.post('/v1/chat/completions', { model: 'auto', messages: [{ role: 'user', content: 'word '.repeat(20_000).trim() }] });
    await seen(answer.getByText((await refused.json()).error.message));
    await seen(answer.getByRole('button', { name: 'Try again' }));
  });
});

test('the worker that answers is killed: the text goes on, with a mark where it moved', { timeout: 180_000 }, async () => {
  await browser.look(desk.server.url, async (page) => {
    await lengthenAnswers(page, long);
    const began = page.waitForResponse('**/v1/chat/completions');
    await say(page, 'Tell me a story about a lighthouse.');
    const lost = mesh.byId((await began).headers()['x-starling-node']);
    const other = lost === first ? second : first;
    await grown(page, 0);
    await lost.kill();
    const answer = await answered(page);
    const mark = answer.getByText(`moved to ${other.name}`);
    await seen(mark);
    assert.equal(await mark.count(), 1);
    await seen(answer.getByText('The answer has reached its longest length.'));
    const facts = await answer.locator('.facts').innerText();
    assert.match(facts, new RegExp(`${long} tokens`));
    assert.match(facts, new RegExp(lost.name), 'who began is named');

    const body = { model: 'auto', messages: [{ role: 'user', content: 'Tell me a story about a lighthouse.' }], max_tokens: long, ignore_eos: true, seed: 1 };
    const undisturbed = (await (await other.server.post('/v1/chat/completions', body)).json()).choices[0].message.content;
    const [download] = await Promise.all([page.waitForEvent('download'), choose(page, 'This conversation', 'Export as JSON')]);
    const [, { text, moved }] = JSON.parse(readFileSync(await download.path(), 'utf8')).conversations[0].messages;
    assert.equal(text, undisturbed, 'the text is not that of an undisturbed answer');
    assert.equal(moved.length, 1);
    assert.equal(moved[0].node_id, other.id);
    assert.ok(moved[0].at > 0 && moved[0].at < text.length, `${moved[0].at} of ${text.length}`);
  });
});

test('the page\'s own node is killed in mid-answer: what came stays, and the answer is continued when it is back', { timeout: 180_000 }, async () => {
  await mesh.restore();
  const port = String(first.server.port);
  await browser.look(first.server.url, async (page) => {
    await lengthenAnswers(page, long);
    await say(page, 'Tell me a story about a lighthouse.');
    await grown(page, 40);
    await first.kill();
    const cut = await answered(page);
    await seen(cut.getByText('The connection to the node was lost before the answer had ended.'));
    const kept = await textOf(cut);
    assert.ok(kept.length > 40, kept);
    await first.start('--port', port);
    await live(page);
    await lengthenAnswers(page, 20);
    await page.getByRole('button', { name: 'Continue' }).click();
    await until(async () => (await answered(page)) && !(await cut.getByText('The connection to the node was lost').isVisible()), 'it is not continued');
    const whole = await textOf(await answered(page));
    assert.ok(whole.length > kept.length && whole.startsWith(kept.slice(0, 30)), whole);
  });
});
