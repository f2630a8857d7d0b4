// What goes wrong around the page: a clipboard that is refused, a node that is away or tells nonsense, a stop at a bad moment.
// The node is a simulated one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, answers, ask, go, goTo, gone, live, message, say, seen, settled, startBrowser, until } from './lib/browser.mjs';
import { built_console } from './lib/pages.mjs';
import { simulated_node } from './lib/simulated_node.mjs';

let browser, node;
before(async () => {
  browser = await startBrowser();
  node = await simulated_node({ dist: built_console, nodes: 4 });
});
after(async () => {
  await browser?.stop();
  node?.close();
});

for (const [why, take_away] of [
  ['a page by plain HTTP has none', () => Object.defineProperty(navigator, 'clipboard', { value: undefined })],
  ['the browser refuses it', () => (navigator.clipboard.writeText = () => Promise.reject(new DOMException('denied', 'NotAllowedError')))],
]) {
  test(`without the clipboard (${why}) an invite in its dialog can be copied all the same`, async () => {
    await browser.look(`${node.url}/#/share`, async (page) => {
      await page.addInitScript(take_away);
      await page.reload();
      await live(page);
      await page.getByRole('button', { name: 'Invite a machine' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Make an invite' }).click();
      const command = await dialog.getByRole('textbox', { name: 'Run on the other machine' }).innerText();
      const copy = dialog.getByRole('button', { name: 'Copy' }).first();
      await copy.focus();
      await page.keyboard.press('Enter');
      await seen(dialog.getByRole('button', { name: 'Copied' }));
      assert.equal(await page.evaluate(() => document.activeElement.closest('dialog') !== null), true, 'the focus is lost');
      await dialog.getByRole('button', { name: 'Close' }).click();
      await goTo(page, 'Chat');
      await message(page).focus();
      await page.keyboard.press('Control+V');
      await until(async () => (await message(page).inputValue()) === command, async () => `pasted: ${await message(page).inputValue()}`);
    });
  });
}

test('no copying at all: the page says what to do instead', async () => {
  await browser.look(node.url, async (page) => {
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
      document.execCommand = () => false;
    });
    const answer = await ask(page, 'echo words');
    await answer.getByRole('button', { name: 'Copy the answer' }).click();
    await seen(page.getByText('The browser does not let this page copy; select the text and copy it by hand.'));
  });
});

test('the file of a page that is opened while the node is away comes when it is back', async () => {
  await browser.look(node.url, async (page) => {
    await live(page);
    const asked = new Set();
    await page.route(/\/assets\/mesh_page/, (route) => {
      const { pathname } = new URL(route.request().url());
      return asked.has(pathname) ? route.continue() : asked.add(pathname) && route.abort();
    });
    await goTo(page, 'Mesh');
    await seen(page.getByRole('heading', { level: 1, name: 'Mesh' }));
    assert.ok(asked.size > 0);
  });
});

test('a node that tells nonsense of its health: that page says so, and the others are there', async () => {
  const odd = await simulated_node({ dist: built_console, nodes: 2 });
  const status = odd.mesh.status.bind(odd.mesh);
  odd.mesh.status = () => ({ ...status(), health: null });
  try {
    await browser.look(`${odd.url}/#/health`, async (page) => {
      await seen(page.getByRole('alert').getByRole('heading', { name: 'This page can’t be shown' }));
      await goTo(page, 'Models');
      await seen(page.getByRole('heading', { level: 1, name: 'Models' }));
      await goTo(page, 'Chat');
      await answered(page, await say(page, 'echo still here'));
    }, { mayComplain: /health|null|score/i });
  } finally {
    odd.close();
  }
});

test('Stop while an answer is on its way to another machine', async () => {
  node.mesh.pause_ms = 600_000;
  try {
    await browser.look(node.url, async (page) => {
      await say(page, 'A lighthouse, and move to another machine');
      await until(async () => /three parts/.test(await answers(page).last().innerText()), 'it does not begin');
      const signs = await page.evaluate(() => ['.log', 'article.answer'].map((one) => getComputedStyle(document.querySelector(one), '::before').content));
      assert.deepEqual(signs, ['none', 'none'], 'wheels turn beside the text');
      await page.getByRole('button', { name: 'Stop' }).click();
      const answer = await answered(page);
      await seen(answer.getByText('Stopped.'));
      assert.match(await answer.innerText(), /three parts/);
      await ask(page, 'echo and on');
    });
  } finally {
    node.mesh.pause_ms = 0;
  }
});

test('two answers at once: each goes to its conversation', async () => {
  await browser.look(node.url, async (page) => {
    const words = (word) => `echo ${`${word} `.repeat(150)}`;
    await say(page, words('lamp'));
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await gone(answers(page));
    await say(page, words('ship'));
    const entry = (word) => page.getByRole('complementary', { name: 'Conversations' }).getByRole('button', { name: new RegExp(`^echo ${word}`) });
    for (const word of ['lamp', 'ship']) {
      await entry(word).click();
      await seen(page.getByRole('article', { name: 'You' }).getByText(word));
      const text = await (await answered(page)).locator('.markdown').innerText();
      assert.equal(text.replaceAll(word, '').trim(), '', text.slice(0, 100));
      assert.equal(text.match(/\w+/g).length, 150);
    }
    assert.equal(await entry('lamp').count(), 1);
  });
});

test('text that is dragged is dropped where it was meant to be, and a file is attached', async () => {
  await browser.look(node.url, async (page) => {
    await live(page);
    const drop = (kind) => message(page).evaluate((area, with_file) => {
      const data = new DataTransfer();
      if (with_file) data.items.add(new File(['a starling'], 'bird.txt'));
      else data.setData('text/plain', 'a starling');
      return !area.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }, kind === 'file');
    assert.equal(await drop('text'), false, 'the page has taken the text away');
    assert.equal(await drop('file'), true);
    await seen(page.getByText('bird.txt'));
    await go(page, '/mesh');
    await settled(page);
    await go(page, '/');
    await seen(page.getByText('bird.txt'));
  });
});

test('TeX that is wrong stands there as it was written, all of it, on a phone too', async () => {
  await browser.look(node.url, async (page) => {
    const answer = await ask(page, `echo It is $\\nothing{${'x+y+'.repeat(30)}z}$ at last.`);
    const source = answer.locator('code.tex');
    await seen(source);
    const { x, width } = await source.boundingBox();
    assert.ok(x >= 0 && x + width <= 360, `from ${x} to ${x + width}`);
  }, { viewport: { width: 360, height: 740 } });
});

test('the chat looks the same after every other page was looked at', async () => {
  await browser.look(node.url, async (page) => {
    const looks = () => page.evaluate(() => [...document.querySelectorAll('.log, .log *, .composer, .composer *, .list *')].map((one) => {
      const { width } = one.getBoundingClientRect();
      const { display, fontFamily, fontSize, borderTopWidth, maxHeight } = getComputedStyle(one);
      return `${one.localName}.${one.className} ${Math.round(width)} ${display} ${fontFamily} ${fontSize} ${borderTopWidth} ${maxHeight}`;
    }).filter((line) => !/^(svg|path|rect|circle|small)/.test(line))); // how long ago it was changes
    await ask(page, 'echo words');
    const before = await looks();
    for (const place of ['Mesh', 'Models', 'Share', 'Health']) {
      await goTo(page, place);
      await settled(page);
    }
    await go(page, `/mesh/${node.mesh.rows[1].node_id}`);
    await goTo(page, 'Chat');
    await settled(page);
    assert.deepEqual(await looks(), before);
  });
});
