// A real browser that looks at a node's console, and what people do there. What no page of it may ever do (break the content
// policy, throw, ask another host, open a window) is watched, whatever the test is about.
import assert from 'node:assert/strict';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { eventually } from './server.mjs';

const patientMs = 60_000; // a healthy page takes a fraction of a second; a busy machine takes its time
const refusedLoad = /^Failed to load resource/; // a node that is gone, or that wants a key: pages have to live with it

/** Where the system's Chromium is. */
export function findChromium() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].filter(Boolean);
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK);
      return place;
    } catch {
      // the next one
    }
  }
  throw new Error(`The tests of the console need Chromium, and there is none at ${places.join(', ')}: install it (./dev setup), or name it by CHROMIUM.`);
}

const artifacts = () => {
  const where = process.env.TEST_ARTIFACTS ?? path.join(tmpdir(), 'starling-e2e-pictures');
  mkdirSync(where, { recursive: true });
  return where;
};

/** Waits until `isSo` holds; a fault while it asks (an element that is just being drawn anew) is not its end. */
export async function until(isSo, what, timeoutMs = patientMs) {
  let fault;
  const holds = await eventually(async () => {
    try {
      fault = undefined;
      return await isSo();
    } catch (error) {
      fault = error;
      return false;
    }
  }, timeoutMs);
  assert.ok(holds, `${typeof what === 'function' ? await what() : what}${fault ? `: ${fault.message}` : ''}`);
}

/** Waits until this is to be seen; gives it. */
export async function seen(locator) {
  await locator.waitFor({ state: 'visible' });
  return locator;
}

export async function gone(locator) {
  await locator.waitFor({ state: 'hidden' });
}

/** Of the browser itself, as for all tests: `more` are arguments of Chromium. */
export const launch = (more = []) => chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', ...more], headless: true });

/** Runs in the page before anything of it. */
function watchInside() {
  window.__seen = [];
  // A hostile script would set this.
  Object.defineProperty(window, 'pwned', { set: () => window.__seen.push('a script has run') });
  document.addEventListener('securitypolicyviolation', (event) =>
    window.__seen.push(`the content policy stopped ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
}

/**
 * A context whose pages are watched: `context.wrongs()` gives one sentence for each thing that they did and may not do.
 * Of the other settings: `hosts` may be asked, errors in the browser's console that fit `mayComplain` are none.
 */
async function watchedContext(browser, { hosts, mayComplain, ...settings }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...settings });
  context.setDefaultTimeout(patientMs);
  const wrongs = [];
  const own = (address) => /^(?:data|blob|about):/.test(address) || hosts.has(new URL(address).host);
  context.on('request', (request) => own(request.url()) || wrongs.push(`asked another host: ${request.method()} ${request.url()}`));
  let ours = 0; // pages that the test opens, and no page of the console
  const newPage = context.newPage.bind(context);
  context.newPage = () => {
    ours += 1;
    return newPage();
  };
  context.on('page', (page) => {
    if (ours > 0) ours -= 1;
    else wrongs.push(`opened a window: ${page.url()}`);
    page.on('websocket', (socket) => wrongs.push(`opened a socket to ${socket.url()}`));
    page.on('pageerror', (error) => wrongs.push(`threw: ${error.message}`));
    page.on('dialog', (dialog) => {
      wrongs.push(`showed a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (message.type() === 'error' && !mayComplain?.test(message.text())) wrongs.push(`said: ${message.text()}`);
    });
    page.on('framenavigated', (frame) => own(frame.url()) || wrongs.push(`went to ${frame.url()}`));
  });
  await context.addInitScript(watchInside);
  const inside = (page) => page.evaluate(() => window.__seen ?? []);
  context.wrongs = async () => [...wrongs, ...(await Promise.all(context.pages().map(inside))).flat()];
  return context;
}

/** A page of a context of its own, at a page of the console, connected: `seen()` tells what it did and may not do. */
export async function openPage(browser, url, { route = '/', width = 1280, height = 800, ...settings } = {}) {
  const context = await watchedContext(browser, { hosts: new Set([new URL(url).host]), viewport: { width, height }, ...settings });
  const page = await context.newPage();
  page.seen = () => context.wrongs();
  page.closeAll = () => context.close();
  await page.goto(`${url}/#${route}`);
  await live(page);
  return page;
}

export const nothingBad = async (page, where = '') => assert.deepEqual(await page.seen(), [], where);

let pictures = 0;

/**
 * A browser of its own: `look(url, steps)` opens a page of a fresh profile, runs `steps(page)`, and fails where they fail or
 * where the page did what it may not. Pages that the steps open by `page.context()` are watched too. `options` are those
 * of a browser context (theme, size, ...), and `others`: addresses beside `url` that may be asked, `mayComplain`: which
 * errors in the browser's console are what the test is about; requests that fail always may be.
 */
export async function startBrowser() {
  const browser = await launch();
  const look = async (url, steps, { others = [], mayComplain, ...options } = {}) => {
    const hosts = new Set([url, ...others].map((one) => new URL(one).host));
    const excused = { test: (text) => refusedLoad.test(text) || mayComplain?.test(text) };
    const context = await watchedContext(browser, { hosts, mayComplain: excused, ...options });
    try {
      const page = await context.newPage();
      await page.goto(url);
      await steps(page);
      assert.deepEqual(await context.wrongs(), [], 'the page did what it may not do');
    } catch (failure) {
      for (const page of context.pages()) {
        const file = path.join(artifacts(), `${path.basename(process.argv[1] ?? 'test', '.test.mjs')}-${process.pid}-${++pictures}.png`);
        const taken = await page.screenshot({ path: file }).then(() => true, () => false);
        if (taken) failure.message += `\npicture: ${file}`;
      }
      for (const wrong of await context.wrongs().catch(() => [])) failure.message += `\nthe page ${wrong}`;
      throw failure;
    } finally {
      await context.close();
    }
  };
  return { look, stop: () => browser.close() };
}

/** Opens a page by the menu of pages, as people do. */
export async function goTo(page, name) {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
}

/** The line below the menu that tells the node's name and how it is. */
export const linkState = (page) => page.getByRole('navigation', { name: 'Pages' }).locator('.link-state');

/** The page is connected to its node, and what that says first has been drawn. */
export async function live(page) {
  await until(async () => (await linkState(page).getAttribute('data-link')) === 'live', 'the page is not connected');
  await settled(page);
}

/** Nothing is being fetched for the page, and what it has was drawn. */
export async function settled(page) {
  await until(() => page.evaluate(async () => {
    const frames = async () => {
      for (let i = 0; i < 3; ++i) await new Promise((done) => requestAnimationFrame(done));
    };
    await frames(); // whatever was clicked has begun
    if (document.querySelector('main > .loading')) return false;
    await document.fonts.ready;
    await frames();
    return !document.querySelector('main > .loading');
  }), 'the page is not drawn');
}

/** Opens a page by its address. */
export async function go(page, route) {
  await page.evaluate(async (to) => {
    if (location.hash === `#${to}`) return;
    const gone = new Promise((done) => addEventListener('hashchange', done, { once: true }));
    location.hash = to;
    await gone;
  }, route);
  await settled(page);
}

export const message = (page) => page.getByRole('textbox', { name: 'Message' });
export const answers = (page) => page.getByRole('article', { name: 'Answer' });

/** Sends a question in the chat; gives the answer that begins. */
export async function say(page, text) {
  const answer = answers(page).nth(await answers(page).count());
  await message(page).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  return seen(answer);
}

/** Waits until an answer, else the last one, has ended, however; gives it. */
export async function answered(page, answer = answers(page).last()) {
  await seen(answer);
  await until(async () => (await answer.getAttribute('aria-busy')) === 'false', 'the answer does not end');
  return answer;
}

/** A question and its whole answer, drawn; gives the answer. */
export async function ask(page, text) {
  const answer = await answered(page, await say(page, text));
  await settled(page);
  return answer;
}

/** Waits until this browser has kept everything that the chat shows: the storage is written a moment after the page is. */
export async function kept(page) {
  await until(() => page.evaluate(async () => {
    const wait = (request) => new Promise((done, fail) => Object.assign(request, { onsuccess: () => done(request.result), onerror: () => fail(request.error) }));
    const db = await wait(indexedDB.open('starling'));
    const all = await wait(db.transaction('conversations').objectStore('conversations').getAll());
    db.close();
    const shown = [...document.querySelectorAll('article.message')].length;
    const whole = ({ messages }) => messages.length === shown && messages.every((one) => one.state !== 'streaming');
    return all.some(whole);
  }), 'the conversation is not kept');
}

/**
 * Makes each answer that the page asks for `tokens` long: the console never asks a model to go on after it has ended, and
 * the starter ends soon. Gives the bodies that were sent.
 */
export async function lengthenAnswers(page, tokens) {
  const asked = [];
  await page.route('**/v1/chat/completions', async (route) => {
    const body = route.request().postDataJSON();
    asked.push(body);
    await route.continue({ postData: JSON.stringify({ ...body, max_tokens: tokens, ignore_eos: true, seed: 1 }) });
  });
  return asked;
}
