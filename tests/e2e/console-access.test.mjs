// Who may look at a node, and who may change it, by what a browser of somebody can do.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { answered, goTo, gone, linkState, live, say, seen, startBrowser, until } from './lib/browser.mjs';
import { startServer } from './lib/server.mjs';

const key = 'sk-right-and-long-enough-0123456789';

let browser, node;
before(async () => {
  [browser, node] = await Promise.all([startBrowser(), startServer({ args: ['--name', 'desk'] })]);
});
after(async () => {
  await browser?.stop();
  await node?.stop();
});

const gate = (page) => page.getByRole('dialog', { name: 'This node asks for an API key' });

async function give(page, text) {
  await gate(page).getByLabel('API key', { exact: true }).fill(text);
  await gate(page).getByRole('button', { name: 'Open' }).click();
}

test('a node with keys: a wrong one is told, the right one opens, for this tab alone', async () => {
  const locked = await startServer({ apiKey: key, args: ['--name', 'locked'] });
  try {
    await browser.look(locked.url, async (page) => {
      await seen(gate(page));
      await seen(linkState(page).getByText('Key needed'));
      await gate(page).getByRole('button', { name: 'Close' }).click();
      await page.getByRole('alert').getByRole('button', { name: 'Enter the key' }).click();
      await give(page, 'sk-wrong');
      await seen(gate(page).getByRole('alert').getByText('The API key is not one of this node\'s keys.'));
      await give(page, key);
      await gone(gate(page));
      await live(page);
      await say(page, 'Hello!');
      assert.match(await (await answered(page)).locator('.facts').innerText(), /locked/);
      await goTo(page, 'Share');
      await until(() => page.getByRole('button', { name: 'Invite a machine' }).isEnabled(), 'the key does not open changes');
      await page.reload();
      await live(page);
      assert.ok(!page.url().includes(key));
      const other = await page.context().newPage();
      await other.goto(locked.url);
      await seen(gate(other));
    });
  } finally {
    await locked.stop();
  }
});

/** A web server that serves one empty page, as another program on this machine would. */
async function startElsewhere() {
  const server = http.createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>elsewhere</title>'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => (server.closeAllConnections(), server.close()) };
}

test('a page of another origin on this machine changes nothing, reads nothing, and gets no token', async () => {
  const elsewhere = await startElsewhere();
  const before = await node.json('/api/sharing');
  try {
    await browser.look(elsewhere.url, async (page) => {
      const outcomes = await page.evaluate(async (url) => {
        const attempt = async (path, options) => {
          try {
            return (await fetch(url + path, options)).status;
          } catch {
            return 'refused by the browser';
          }
        };
        const json = { 'content-type': 'application/json' };
        return [
          await attempt('/api/session', { method: 'POST', headers: json, body: '{}' }),
          await attempt('/api/sharing', { method: 'POST', headers: json, body: '{"sharing":false}' }),
          await attempt('/v1/chat/completions', { method: 'POST', headers: json, body: '{}' }),
          await attempt('/api/status'),
          // What a browser sends without asking first, whether or not the page may read the answer.
          await attempt('/api/session', { method: 'POST', mode: 'no-cors', body: '{}' }),
          await attempt('/api/sharing', { method: 'POST', mode: 'no-cors', body: '{"sharing":false}' }),
        ];
      }, node.url);
      assert.deepEqual(outcomes, [...Array(4).fill('refused by the browser'), 0, 0]);
    }, { others: [node.url], mayComplain: /blocked by CORS policy/ });
    assert.deepEqual(await node.json('/api/sharing'), before);
    for (const where of ['/api/session', '/api/sharing', '/v1/chat/completions']) {
      assert.equal((await node.post(where, {}, { origin: new URL(elsewhere.url).origin })).status, 403, where);
    }
  } finally {
    elsewhere.stop();
  }
});

test('the token of one page opens nothing for another origin, nor for a page without one', async () => {
  const { token } = await (await node.post('/api/session', {}, { origin: node.url })).json();
  const change = (headers) => node.post('/api/sharing', { memory_bytes: 300_000_000 }, { authorization: `Bearer ${token}`, ...headers });
  assert.equal((await change({ origin: 'http://127.0.0.1:1' })).status, 403);
  assert.equal((await change({ origin: 'null' })).status, 403);
  assert.equal((await change({ origin: node.url })).status, 200);
});

test('where the node gives no token, the page looks and changes nothing, and says why', async () => {
  const sentence = 'This page may only look: changes are for a browser on the same machine, of the user who runs the node, or for whoever has an API key (--api-key-file).';
  let refuses = true;
  await browser.look('about:blank', async (page) => {
    // What the node answers to a browser of another user: src/api/tests show that it does.
    await page.route('**/api/session', (route) => (refuses
      ? route.fulfill({ status: 403, json: { error: { message: sentence, code: 'origin_not_allowed' } } })
      : route.continue()));
    await page.goto(`${node.url}/#/share`);
    await live(page);
    await seen(page.getByRole('note').getByText(sentence));
    assert.equal(await page.getByRole('switch').isEnabled(), false);
    assert.equal(await page.getByRole('button', { name: 'Invite a machine' }).isEnabled(), false);
    assert.equal(await page.getByRole('slider').isEnabled(), false);
    await goTo(page, 'Models');
    await seen(page.getByRole('note').getByText(sentence));
    assert.equal(await page.getByRole('button', { name: 'Add a model' }).isEnabled(), false);
    await goTo(page, 'Health');
    await seen(page.getByText(`The node does not tell this page: ${sentence}`));
    await goTo(page, 'Chat');
    await say(page, 'Hello!');
    assert.match(await (await answered(page)).locator('.facts').innerText(), /desk/);
    assert.equal(await gate(page).count(), 0, 'it asks for a key that the node does not want');

    refuses = false;
    await goTo(page, 'Share');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await gone(page.getByRole('note'));
    await until(() => page.getByRole('button', { name: 'Invite a machine' }).isEnabled(), 'it still may only look');
  }, { others: [node.url] });
});

test('another name for this machine, as a foreign name server would give it, is not taken', async () => {
  const answer = await new Promise((resolve, reject) => http.request(`${node.url}/api/session`, {
    method: 'POST', headers: { host: 'attacker.example', origin: 'http://attacker.example', 'content-type': 'application/json' },
  }, resolve).on('error', reject).end('{}'));
  answer.resume();
  assert.equal(answer.statusCode, 403);
});
