// The first minute of somebody who has just started Starling, in a real browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, goTo, linkState, live, message, seen, startBrowser, until } from './lib/browser.mjs';
import { startServer } from './lib/server.mjs';

const example = 'Tell me a story about a lighthouse.';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.stop());

/** Runs `steps(node)` with a node of its own, and ends it. */
async function withNode(options, steps) {
  const node = await startServer(options);
  try {
    await steps(node);
  } finally {
    await node.stop();
  }
}

const steps = (page) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { level: 3 }) });

async function hasFirstAnswer(page, name) {
  const answer = await answered(page);
  const text = await answer.locator('.markdown').innerText();
  assert.ok(text.length > 10, text);
  const facts = await answer.locator('.facts').innerText();
  for (const fact of [name, 'starter', /\d+(\.\d)? tokens\/s/, /first after [\d.]+ m?s/, /\d+ tokens/]) {
    assert.match(facts, fact instanceof RegExp ? fact : new RegExp(fact));
  }
}

test('`serve`: three steps, and chatting by the first of them', async () => {
  await withNode({ args: ['--name', 'desk'] }, (node) => browser.look(node.url, async (page) => {
    await seen(page.getByRole('heading', { name: 'Welcome to Starling' }));
    assert.equal(await steps(page).count(), 3);
    for (const name of ['Say something', 'Add a model of your own', 'Add another machine']) await seen(page.getByRole('heading', { name, exact: true }));
    await page.getByRole('button', { name: example }).click();
    await hasFirstAnswer(page, 'desk');
    await until(async () => (await linkState(page).innerText()).includes('desk'), 'the page does not name its node');

    await page.getByRole('button', { name: 'New', exact: true }).click();
    await seen(page.getByRole('heading', { name: 'Say something (done)' }));
    await page.reload();
    await seen(page.getByRole('heading', { name: 'Say something (done)' }));
    await page.getByRole('link', { name: 'Go to Models' }).click();
    await seen(page.getByRole('heading', { name: 'Models', level: 1 }));
    await goTo(page, 'Chat');
    await page.getByRole('button', { name: 'Do not show these steps' }).click();
    await seen(page.getByRole('heading', { name: 'What would you like to talk about?' }));
  }));
});

test('`starling` alone: the starter is started from the page, and answers', async () => {
  await withNode({ verb: [], args: ['--name', 'desk'] }, (node) => browser.look(node.url, async (page) => {
    await page.getByRole('button', { name: 'Start the starter model' }).click();
    await page.getByRole('button', { name: example }).click();
    await hasFirstAnswer(page, 'desk');
  }));
});

test('every page opens by its address, on a phone too, and none scrolls sideways', async () => {
  await withNode({}, (node) => browser.look(node.url, async (page) => {
    const { name } = await node.json('/api/status');
    for (const [place, title] of [['mesh', 'Mesh'], [`mesh/${node.nodeId}`, name], ['models', 'Models'], ['share', 'Share this computer'], ['health', 'Settings and health'], ['', 'Chat']]) {
      await page.goto(`${node.url}/#/${place}`);
      await live(page);
      await page.getByRole('heading', { level: 1, name: title }).first().waitFor({ state: 'attached' });
      const [wide, sees] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= sees, `${place} is ${wide} px wide`);
    }
    await page.goto(`${node.url}/#/nowhere`);
    await seen(page.getByRole('heading', { name: 'There is no such page' }));
    await page.getByRole('link', { name: 'To the chat' }).click();
    await seen(message(page));
    await page.goto(`${node.url}/#/chat`);
    await seen(message(page));
  }, { viewport: { width: 400, height: 800 } }));
});

test('`--headless`: the API, and no page', async () => {
  await withNode({ args: ['--headless'] }, async (node) => {
    for (const where of ['/', '/index.html', '/icon.svg']) assert.equal((await node.get(where)).status, 404, where);
    for (const where of ['/health', '/api/status', '/v1/models']) assert.equal((await node.get(where)).status, 200, where);
  });
});
