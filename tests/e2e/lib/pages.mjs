// What must never be found in a page of the console, and how it looks; lib/browser.mjs opens them.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { binary } from './server.mjs';

const axe_source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/// The built console, as it is in the program: cmake leaves it beside the binary.
export const built_console = path.join(path.dirname(binary), 'console');
assert.ok(existsSync(path.join(built_console, 'index.html')), `${built_console}: the program was built without the console`);

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
