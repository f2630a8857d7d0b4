// The console's pages as they are seen, heard and reached: by axe-core in both themes and at both widths, on narrow phones,
// by the keyboard alone, with less motion and with forced colours. Where a mesh of several is shown it is a simulated one.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer } from './lib/server.mjs';
import { ask, go, launch, live, nothingBad, openPage, settled, until } from './lib/browser.mjs';
import { axe_findings, built_console, overflow } from './lib/pages.mjs';
import { simulated_node } from './lib/simulated_node.mjs';

let browser;
let node; // a real one
let simulated;
before(async () => {
  browser = await launch();
  node = await startServer();
  simulated = await simulated_node({ dist: built_console, nodes: 8 });
});
after(async () => {
  await browser?.close();
  simulated?.close();
  await node?.stop();
});

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();

/// What is looked at, each from the state that the one before it left.
const views = [
  ['chat, empty', (page) => go(page, '/')],
  ['chat, a long answer', (page) => go(page, '/').then(() => ask(page, 'A lighthouse, and move to another machine'))],
  ['chat, advanced', async (page) => {
    await page.getByRole('button', { name: /^Advanced/ }).click();
    await page.getByRole('dialog').waitFor();
  }, (page) => page.keyboard.press('Escape')],
  ['chat, a menu', (page) => page.locator('summary[aria-label="This conversation"]').click(), (page) => page.keyboard.press('Escape')],
  ['mesh, picture', async (page) => {
    await go(page, '/mesh');
    await heading(page, 'Mesh');
    await page.getByRole('button', { name: 'Picture' }).click();
  }],
  ['mesh, table', (page) => page.getByRole('button', { name: 'Table' }).click()],
  ['a machine', async (page, { mesh }) => {
    await go(page, `/mesh/${mesh.rows[1].node_id}`);
    await page.locator('.uplot').first().waitFor();
  }],
  ['models', (page) => go(page, '/models').then(() => heading(page, 'Models'))],
  ['share', (page) => go(page, '/share').then(() => heading(page, /Share/))],
  ['share, an invite', async (page) => {
    await page.getByRole('button', { name: /invite/i }).first().click();
    await page.getByRole('dialog').waitFor();
    const make = page.getByRole('dialog').getByRole('button', { name: /make/i });
    if (await make.count()) await make.first().click();
    await page.getByRole('dialog').locator('svg').first().waitFor();
  }, (page) => page.keyboard.press('Escape')],
  ['health', (page) => go(page, '/health').then(() => heading(page, /health/i))],
];

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 400]) {
    describe(`${colorScheme}, ${width} px`, () => {
      let page;
      before(async () => { page = await openPage(browser, simulated.url, { colorScheme, width }); });
      after(() => page?.closeAll());
      for (const [name, show, leave] of views) {
        test(name, async () => {
          await show(page, simulated);
          await settled(page);
          assert.deepEqual(await axe_findings(page), []);
          assert.deepEqual(await overflow(page), []);
          await nothingBad(page);
          await leave?.(page);
        });
      }
    });
  }
}

test('a narrow phone needs no scrolling aside', async () => {
  const page = await openPage(browser, simulated.url, { width: 320, height: 640 });
  for (const [name, show, leave] of views) {
    await show(page, simulated);
    await settled(page);
    assert.deepEqual(await overflow(page), [], name);
    await leave?.(page);
  }
  await nothingBad(page);
  await page.closeAll();
});

describe('a real node', () => {
  test('its own pages are without a finding too', async () => {
    for (const colorScheme of ['light', 'dark']) {
      const page = await openPage(browser, node.url, { colorScheme });
      await ask(page, 'Hello!');
      for (const route of ['/', '/mesh', `/mesh/${node.nodeId}`, '/models', '/share', '/health', '/nowhere']) {
        await go(page, route);
        assert.deepEqual(await axe_findings(page), [], route);
        assert.deepEqual(await overflow(page), [], route);
      }
      await nothingBad(page);
      await page.closeAll();
    }
  });

  test('every file comes with the content policy', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const files = [];
    page.on('response', (answer) => files.push(answer));
    await page.goto(node.url);
    await live(page);
    await go(page, '/mesh');
    await go(page, '/models');
    await go(page, '/share');
    await go(page, '/health');
    await go(page, `/mesh/${node.nodeId}`);
    const of_console = files.filter((answer) => !/\/(?:api|v1)\//.test(answer.url()));
    assert.ok(of_console.length >= 10, String(of_console.length));
    for (const answer of of_console) {
      const headers = answer.headers();
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'.*trusted-types 'none'/, answer.url());
      assert.equal(headers['x-content-type-options'], 'nosniff', answer.url());
    }
    await context.close();
  });
});

/// The element with the focus, in words.
const focused = (page) => page.evaluate(() => {
  const one = document.activeElement;
  return (one?.getAttribute('aria-label') || one?.textContent?.trim() || one?.localName || '').slice(0, 60);
});

async function tab_to(page, name, most = 40) {
  for (let i = 0; i < most; ++i) {
    await page.keyboard.press('Tab');
    if (name.test(await focused(page))) return i + 1;
  }
  assert.fail(`Tab does not reach ${name}; it is at ${await focused(page)}`);
}

describe('the keyboard alone', () => {
  let page;
  before(async () => {
    page = await openPage(browser, node.url);
    await go(page, '/models');
    await page.reload(); // the focus is where it is after an address was typed
    await live(page);
  });
  after(() => page?.closeAll());

  test('begins at the link to the content, which leads there', async () => {
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Skip to the content');
    const box = await page.getByRole('link', { name: 'Skip to the content' }).boundingBox();
    assert.ok(box.y >= 0, 'it is seen while it has the focus');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  });

  test('goes through the pages', async () => {
    await page.reload();
    await live(page);
    await page.keyboard.press('Tab');
    for (const name of ['Chat', 'Mesh', 'Models', 'Share', 'Health']) {
      await page.keyboard.press('Tab');
      assert.match(await focused(page), new RegExp(`^${name}`));
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow), 'nonenone', 'one sees where it is');
    }
    await page.keyboard.press('Enter');
    await heading(page, /health/i);
  });

  test('asks, and the focus stays where one writes', async () => {
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    assert.match(await focused(page), /^Chat/);
    await page.keyboard.press('Enter');
    await settled(page);
    if (await focused(page) !== 'Message') await tab_to(page, /^Message$/);
    await page.keyboard.type('Tell me a story.');
    await page.keyboard.press('Enter');
    await page.locator('article.answer[aria-busy=false]').waitFor();
    assert.equal(await focused(page), 'Message');
  });

  test('opens a dialog, stays in it, and comes back with Escape', async () => {
    await page.keyboard.press('Shift+Tab');
    for (let i = 0; i < 20 && !/^Advanced/.test(await focused(page)); ++i) await page.keyboard.press('Shift+Tab');
    assert.match(await focused(page), /^Advanced/);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    for (let i = 0; i < 15; ++i) {
      await page.keyboard.press('Tab');
      const outside = await page.evaluate(() => document.activeElement !== document.body && !document.activeElement.closest('dialog'));
      assert.equal(outside, false, await focused(page));
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.match(await focused(page), /^Advanced/);
    await page.keyboard.press('Enter');
    await dialog.waitFor();
    await dialog.getByRole('button', { name: 'Done' }).focus();
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    assert.match(await focused(page), /^Advanced/, 'also where a button has closed it');
  });

  test('a menu opens, closes with Escape, and gives the focus back', async () => {
    await page.locator('summary[aria-label="This conversation"]').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Export as Markdown' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Rename…');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.notEqual(await page.evaluate(() => document.activeElement.localName), 'body', 'the focus is not lost');
  });
});

describe('as the system wishes', () => {
  test('light or dark from the first drawing on, and as it changes, unless one of them is chosen', async () => {
    const page = await openPage(browser, simulated.url, { colorScheme: 'dark' });
    const colour = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const becomes = (wanted) => page.waitForFunction((one) => getComputedStyle(document.documentElement).backgroundColor === one, wanted);
    const dark = await colour();
    await page.emulateMedia({ colorScheme: 'light' });
    await page.waitForFunction((one) => getComputedStyle(document.documentElement).backgroundColor !== one, dark);
    const light = await colour();

    await page.addInitScript(() => {
      const look = () => (document.body ? (window.__first ??= getComputedStyle(document.documentElement).getPropertyValue('--page')) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    });
    const first = async () => {
      await page.reload();
      await live(page);
      return page.evaluate(() => window.__first);
    };
    const light_page = await first();
    await go(page, '/health');
    await page.getByRole('radio', { name: 'Dark' }).check();
    await becomes(dark);
    assert.notEqual(await first(), light_page, 'it flashed in the theme of the system');
    await becomes(dark);
    await page.getByRole('radio', { name: 'As the system has it' }).check();
    await becomes(light);
    await page.emulateMedia({ colorScheme: 'dark' });
    await becomes(dark);
    await nothingBad(page);
    await page.closeAll();
  });

  test('less motion: nothing moves by itself', async () => {
    const page = await openPage(browser, simulated.url, { reducedMotion: 'reduce' });
    for (const route of ['/', '/mesh', '/models', '/share', '/health']) {
      await go(page, route);
      const moving = await page.evaluate(() => document.getAnimations()
        .filter((one) => one.playState === 'running' && one.effect.getComputedTiming().duration > 100)
        .map((one) => one.effect.target?.className));
      assert.deepEqual(moving, [], route);
    }
    await page.closeAll();
  });

  test('less motion: the picture of the mesh rests between events', async () => {
    const page = await openPage(browser, simulated.url, { reducedMotion: 'reduce', route: '/mesh' });
    await page.evaluate(() => {
      window.__drawn = 0;
      const before = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.drawImage = function (...all) {
        window.__drawn += 1;
        return before.apply(this, all);
      };
    });
    const drawn_in = (ms) => page.evaluate(async (wait) => {
      const before = window.__drawn;
      await new Promise((done) => setTimeout(done, wait));
      return window.__drawn - before;
    }, ms);
    // A slow machine takes its time until all have their places.
    await until(async () => (await drawn_in(1_000)) <= 10, 'it never rests');
    const drawn = await drawn_in(2_000);
    assert.ok(drawn <= 20, `${drawn} pieces drawn in two seconds, for two events`);
    await page.closeAll();
  });

  test('forced colours: what is chosen and what can be pressed is still told apart', async () => {
    const page = await openPage(browser, simulated.url, { forcedColors: 'active' });
    const look = (selector) => page.evaluate((one) => {
      const { borderTopWidth, borderTopStyle, outlineStyle, backgroundColor } = getComputedStyle(document.querySelector(one));
      return { framed: (borderTopStyle !== 'none' && borderTopWidth !== '0px') || outlineStyle !== 'none', backgroundColor };
    }, selector);
    const chosen = await look('.side a[aria-current=page]');
    const other = await look('.side a:not([aria-current])');
    assert.ok(chosen.framed !== other.framed || chosen.backgroundColor !== other.backgroundColor, 'the page where one is');
    await go(page, '/mesh');
    const pressed = await look('[aria-pressed=true]');
    const free = await look('[aria-pressed=false]');
    assert.ok(pressed.framed !== free.framed || pressed.backgroundColor !== free.backgroundColor, 'the way that is chosen');
    await go(page, '/share');
    assert.ok((await look('[role=switch]')).framed, 'a switch has an edge');
    assert.deepEqual(await axe_findings(page), []);
    await page.closeAll();
  });
});
