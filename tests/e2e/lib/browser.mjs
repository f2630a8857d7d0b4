// A real browser that looks at a node's console. What no page of it may ever do (break the content policy, throw, ask
// another host) fails the test that looked, whatever the test is about.
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

/** What a page did that it may not do, in words. */
function watch(page, allowedHosts, mayComplain) {
  const wrongs = [];
  page.on('pageerror', (error) => wrongs.push(`threw: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !refusedLoad.test(text) && !mayComplain?.test(text)) wrongs.push(`said: ${text}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (['data:', 'blob:'].includes(url.protocol) || allowedHosts.has(url.host)) return;
    wrongs.push(`asked another host: ${request.method()} ${request.url()}`);
  });
  return wrongs;
}

let pictures = 0;

/**
 * A browser of its own: `look(url, steps)` opens a page of a fresh profile, runs `steps(page)`, and fails where they fail or
 * where the page did what it may not. Pages that the steps open by `page.context()` are watched too. `options` are those
 * of a browser context (theme, size, ...), and `others`: addresses beside `url` that may be asked, `mayComplain`: which
 * errors in the browser's console are what the test is about.
 */
export async function startBrowser() {
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'], headless: true });
  const look = async (url, steps, { others = [], mayComplain, ...options } = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(patientMs);
    const allowedHosts = new Set([url, ...others].map((one) => new URL(one).host));
    const wrongs = [];
    context.on('page', (page) => wrongs.push(watch(page, allowedHosts, mayComplain)));
    const wrongsSoFar = () => wrongs.flat();
    try {
      const page = await context.newPage();
      await page.goto(url);
      await steps(page);
      assert.deepEqual(wrongsSoFar(), [], 'the page did what it may not do');
    } catch (failure) {
      for (const page of context.pages()) {
        const file = path.join(artifacts(), `${path.basename(process.argv[1] ?? 'test', '.test.mjs')}-${process.pid}-${++pictures}.png`);
        const taken = await page.screenshot({ path: file }).then(() => true, () => false);
        if (taken) failure.message += `\npicture: ${file}`;
      }
      if (wrongsSoFar().length > 0) failure.message += `\nthe page ${wrongsSoFar().join('\nthe page ')}`;
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

/** The page is connected to its node. */
export const live = (page) => until(async () => (await linkState(page).getAttribute('data-link')) === 'live', 'the page is not connected');

export const message = (page) => page.getByRole('textbox', { name: 'Message' });
export const answers = (page) => page.getByRole('article', { name: 'Answer' });

/** Sends a question in the chat. */
export async function say(page, text) {
  await message(page).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** Waits until the last answer has ended, however; gives it. */
export async function answered(page) {
  const last = answers(page).last();
  await seen(last);
  await until(async () => (await last.getAttribute('aria-busy')) === 'false', 'the answer does not end');
  return last;
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
