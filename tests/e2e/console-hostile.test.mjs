// What a hostile model, machine, file or server may write, in a real browser with the real node's page: no script of it
// runs, nothing leaves for another host, and nothing of it becomes an element that could.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { floods, injections } from '../../console/tests/injections.mjs';
import { ask, go, launch, nothingBad, openPage, settled } from './lib/browser.mjs';
import { built_console, forbidden_in } from './lib/pages.mjs';
import { startServer } from './lib/server.mjs';
import { simulated_node } from './lib/simulated_node.mjs';
import { written_answers } from './lib/written_answers.mjs';

const evil = '<img src=x onerror=window.pwned=1>"\'><script>window.pwned=1</script>';
const evil_name = '<img src=x onerror=window.pwned=1><script>pwned=1</script>'; // a name has at most 64 bytes
const moment_ms = 15_000; // for a flood, on a slow, busy machine, beside what it takes to stream so much
const plain = 'word '.repeat(24_000); // as long as the longest flood
const answers = [...injections, ...floods, evil, plain];
const every = 12; // answers in one conversation

let browser;
let upstream;
let node;
before(async () => {
  browser = await launch();
  upstream = await written_answers(answers, { piece: 40 });
  node = await startServer({ args: ['--upstream', `${upstream.url}/v1`, '--model', evil, '--name', evil_name] });
});
after(async () => {
  await browser?.close();
  await node?.stop();
  upstream?.close();
});

const whole_page = (page) => page.evaluate(() => document.documentElement.outerHTML.length);
const in_answers = 'article.answer .markdown';

describe('what a model answers', () => {
  let page;
  before(async () => { page = await openPage(browser, node.url); });
  after(() => page?.closeAll());

  const check = async (number) => {
    if (number % every === 0) {
      await page.getByRole('button', { name: 'New', exact: true }).click();
      await page.locator('article.answer').first().waitFor({ state: 'detached' });
    }
    await ask(page, `say ${number}`);
    assert.deepEqual(await forbidden_in(page, in_answers), [], answers[number].slice(0, 200));
    await nothingBad(page, answers[number].slice(0, 200));
  };

  test('the answer comes through as it was written', async () => {
    const script = injections.indexOf('<script>window.pwned = 1</script>');
    const answer = await ask(page, `say ${script}`);
    assert.match(await answer.locator('.markdown').innerText(), /<script>window\.pwned = 1<\/script>/);
  });

  test(`${injections.length} injections`, { timeout: 600_000 }, async () => {
    assert.ok(injections.length >= 60);
    for (let i = 0; i < injections.length; ++i) await check(i);
  });

  test(`${floods.length} floods: the page stays alive`, { timeout: 900_000 }, async () => {
    const timed = async (what) => {
      const began = Date.now();
      await what();
      return Date.now() - began;
    };
    const streaming_ms = await timed(() => ask(page, `say ${answers.indexOf(plain)}`));
    for (let i = 0; i < floods.length; ++i) {
      const ms = await timed(() => check(injections.length + i));
      assert.ok(ms < moment_ms + streaming_ms, `${floods[i].slice(0, 20)}: ${ms} ms`);
    }
  });

  test('a link in an answer leads nowhere by itself, and a click tells the other side nothing', async () => {
    const links = await page.evaluate(() => [...document.querySelectorAll('article.answer .markdown a')].map(({ rel, target }) => ({ rel, target })));
    for (const { rel, target } of links) assert.deepEqual({ rel, target }, { rel: 'noopener noreferrer nofollow', target: '_blank' });
    assert.ok(page.url().startsWith(node.url));
  });
});

describe('what else others write', () => {
  test('a sentence of failure, before an answer and in its middle', async () => {
    const page = await openPage(browser, node.url);
    const number = answers.indexOf(evil);
    for (const how of ['refuse', 'break']) {
      const answer = await ask(page, `${how} ${number}`);
      assert.deepEqual(await forbidden_in(page, 'article.answer .how'), []);
      assert.ok((await answer.innerText()).length > 10);
    }
    // The browser itself says that a request was refused.
    assert.deepEqual((await page.seen()).filter((sentence) => !/status of 400/.test(sentence)), []);
    await page.closeAll();
  });

  test('names of this machine and of its model, on every page, and lines of its log', async () => {
    const page = await openPage(browser, node.url);
    await ask(page, 'say 0');
    for (const route of ['/', '/mesh', `/mesh/${node.nodeId}`, '/models', '/share', '/health', `/mesh/${encodeURIComponent(evil)}`, `/${encodeURIComponent(evil)}`]) {
      await go(page, route);
      await page.waitForTimeout(200);
      assert.equal(await page.locator('main img, main script').count(), 0, route);
      await nothingBad(page, route);
    }
    await go(page, '/');
    assert.ok((await page.locator('.link-state').innerText()).includes('<img'), 'the name is text');
    await page.closeAll();
  });

  test('names of files, and their text', async () => {
    const page = await openPage(browser, node.url);
    await page.locator('input[type=file][multiple]').setInputFiles([
      { name: '<img src=x onerror=window.pwned=1>.txt', mimeType: 'text/plain', buffer: Buffer.from(evil) },
      { name: `'"><svg onload=window.pwned=1>.html`, mimeType: 'text/html', buffer: Buffer.from('<script>window.pwned=1</script>') },
    ]);
    await page.locator('.composer .chips li').nth(1).waitFor();
    await ask(page, 'say 0');
    assert.match(await page.locator('article.question .chips').innerText(), /<img src=x/);
    assert.equal(await page.locator('article.question img, article.question script, article.question svg[onload]').count(), 0);
    await page.locator('input[type=file][multiple]').setInputFiles([{ name: '<img src=x onerror=window.pwned=1>.bin', mimeType: 'x/y', buffer: Buffer.from([0, 1, 255]) }]);
    await page.locator('.refused').waitFor();
    assert.match(await page.locator('.refused').innerText(), /<img.*is not a text file/);
    await nothingBad(page);
    await page.closeAll();
  });

  test('a file of conversations', async () => {
    const page = await openPage(browser, node.url);
    const import_file = (value) => page.locator('input[accept*=json]').first()
      .setInputFiles([{ name: 'c.json', mimeType: 'application/json', buffer: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) }]);
    const conversation = {
      id: evil, title: evil, model: evil, updated: 1, settings: { system: evil, temperature: evil },
      messages: [
        { id: 'a', role: 'user', text: evil, attachments: [{ name: evil, text: evil }] },
        {
          id: 'b', role: 'assistant', text: injections.join('\n\n'), thinking: evil, state: 'cut', error: evil, model: evil, node_id: evil, node_name: evil,
          moved: [{ at: 3, node_id: evil, name: evil, cause: evil }, { at: 1e9, node_id: '', name: '', cause: '' }], tokens: 1e308, tokens_per_s: -1, first_ms: -5,
        },
      ],
    };
    const many = { format: 'starling-conversations', version: 1, conversations: [conversation] };
    await import_file(`${JSON.stringify(many).slice(0, -1)},"__proto__":{"polluted":1}}`);
    await page.locator('.list li').first().waitFor();
    await page.locator('.list li button').first().click();
    await page.locator('article.answer').waitFor();
    await settled(page);
    assert.deepEqual(await forbidden_in(page, in_answers), []);
    assert.equal(await page.locator('main img, main script, main iframe').count(), 0);
    assert.equal(await page.evaluate(() => ({}).polluted), undefined);
    for (const broken of ['', '[]', '{"format":"starling-conversations","conversations":[1]}', `{"format":${JSON.stringify(evil)}}`]) {
      await import_file(broken);
      await page.locator('.toast.wrong').last().waitFor();
    }
    await page.reload();
    await page.locator('.list li').first().waitFor();
    await nothingBad(page);
    await page.closeAll();
  });

  test('machines of a mesh: names, models, reasons, requests, log', async () => {
    const simulated = await simulated_node({ dist: built_console, nodes: 8 });
    const { mesh } = simulated;
    for (const row of mesh.rows) Object.assign(row, { name: evil, models: [evil, '../../x', '__proto__'], version: evil, role: evil });
    mesh.rows[2].state = evil;
    mesh.rows[3].path = evil;
    for (const one of mesh.deployments) {
      Object.assign(one, { model: evil, reason: evil });
      for (const stage of one.stages) Object.assign(stage, { name: evil, state: evil });
    }
    mesh.deployments[1].state = evil;
    for (const row of mesh.models) Object.assign(row, { id: `${evil}${row.id}`, source: evil, failure: evil });
    mesh.models[1].here = 'constructor';
    mesh.rows[1].health.state = 'toString';
    mesh.requests = [{ code: evil, name: evil, node_id: evil, since_s: 1 }];
    for (const line of mesh.log) line.message = evil;
    Object.assign(mesh.sharing, { listens: evil, who: evil });
    const page = await openPage(browser, simulated.url);
    for (const route of ['/', '/mesh', `/mesh/${mesh.rows[1].node_id}`, '/models', '/share', '/health']) {
      await go(page, route);
      if (route === '/mesh') {
        await page.mouse.move(640, 400);
        await page.getByRole('button', { name: 'Table' }).click();
        await page.locator('tbody tr').first().waitFor();
      }
      await page.waitForTimeout(200);
      assert.equal(await page.locator('main img, main script, main iframe').count(), 0, route);
      assert.ok(await whole_page(page) < 2_000_000);
      await nothingBad(page, route);
    }
    await page.closeAll();
    simulated.close();
  });
});
