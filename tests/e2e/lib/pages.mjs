// Pages of the console in a real browser, and what must never happen in them.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from './browser.mjs';
import { binary } from './server.mjs';

/// The built console, as it is in the program: cmake leaves it beside the binary.
export const built_console = path.join(path.dirname(binary), 'console');

const axe_source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function launch(more = []) {
  assert.ok(existsSync(path.join(built_console, 'index.html')), `${built_console}: the program was built without the console`);
  return chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', ...more] });
}

/// A page of a browser context of its own, which sees what must not be: `seen` holds one sentence for each of them.
export async function open_page(browser, url, { route = '/', width = 1280, height = 800, ...settings } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, ...settings });
  const page = await context.newPage();
  const seen = [];
  const { host } = new URL(url);
  const own = (address) => /^(?:data|blob|about):/.test(address) || new URL(address).host === host;
  context.on('request', (request) => own(request.url()) || seen.push(`a request to ${request.url()}`));
  context.on('page', (other) => other !== page && seen.push(`a window was opened: ${other.url()}`));
  page.on('websocket', (socket) => seen.push(`a socket to ${socket.url()}`));
  page.on('pageerror', (error) => seen.push(`an error: ${error.message}`));
  page.on('dialog', (dialog) => {
    seen.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => message.type() === 'error' && seen.push(`the browser says: ${message.text()}`));
  page.on('framenavigated', (frame) => own(frame.url()) || seen.push(`it went to ${frame.url()}`));
  await page.addInitScript(() => {
    window.__seen = [];
    // A hostile script would set this.
    Object.defineProperty(window, 'pwned', { set: () => window.__seen.push('a script has run') });
    document.addEventListener('securitypolicyviolation', (event) =>
      window.__seen.push(`the content policy stopped ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
  });
  page.seen = async () => [...seen, ...(await page.evaluate(() => window.__seen))];
  page.close_all = () => context.close();
  await page.goto(`${url}/#${route}`);
  await live(page);
  return page;
}

/// The stream of events is up, and everything that it says first has been drawn.
export async function live(page) {
  await page.waitForSelector('[data-link=live]', { state: 'attached' });
  await settled(page);
}

/// Nothing is being fetched for the page, and what it has was drawn.
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('main > .loading'));
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let i = 0; i < 3; ++i) await new Promise((done) => requestAnimationFrame(done));
  });
}

export async function go(page, route) {
  await page.evaluate((to) => { location.hash = to; }, route);
  await settled(page);
}

export const nothing_bad = async (page, where = '') => assert.deepEqual(await page.seen(), [], where);

/// Sends a question and waits until its answer has ended; gives the answer's element.
export async function say(page, text) {
  const before = await page.locator('article.answer').count();
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
  const answer = page.locator('article.answer').nth(before);
  await answer.waitFor();
  await page.waitForFunction(() => !document.querySelector('article.answer[aria-busy=true]'), null, { timeout: 60_000 });
  await settled(page);
  return answer;
}

/// What axe-core finds, in words; empty: nothing.
export async function axe_findings(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe_source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} (${node.failureSummary.replaceAll('\n', ' ').slice(0, 200)})`));
}

/// Pixels by which the page, or its main part, is wider than what one sees of it; and what sticks out.
export function overflow(page) {
  return page.evaluate(() => {
    const wide = [document.documentElement, document.body, document.querySelector('main')]
      .map((one) => one.scrollWidth - one.clientWidth).filter((pixels) => pixels > 0);
    if (wide.length === 0) return [];
    const out = [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5);
    return [`wider by ${Math.max(...wide)} px`, ...out.slice(0, 5).map((one) => one.outerHTML.slice(0, 100))];
  });
}

/// Elements and attributes that may not come from anybody's text. `inside`: a selector.
export function forbidden_in(page, inside) {
  return page.evaluate((selector) => {
    const elements = new Set(('script iframe object embed style form link meta base img video audio source template input textarea ' +
      'frame frameset applet portal foreignobject annotation-xml maction animate').split(' '));
    const attributes = new Set(['src', 'srcset', 'srcdoc', 'action', 'formaction', 'xlink:href', 'data', 'id', 'name']);
    const found = [];
    for (const element of document.querySelectorAll(`${selector}, ${selector} *`)) {
      const tag = element.localName.toLowerCase();
      if (elements.has(tag)) found.push(`<${tag}>`);
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on') || attributes.has(name)) found.push(`${tag} ${name}=${value}`);
        if (name === 'href' && !(tag === 'a' && /^(?:https?:\/\/|mailto:)/.test(value) && element.rel === 'noopener noreferrer nofollow')) found.push(`${tag} href=${value}`);
        if (name === 'style' && /url|position|expression|image/i.test(value)) found.push(`${tag} style=${value}`);
      }
    }
    return found;
  }, inside);
}
