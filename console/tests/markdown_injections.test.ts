// @vitest-environment happy-dom
import { h, render } from 'preact';
import { act } from 'preact/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { draw_maths } from '../src/markdown/maths_tree';
import { highlight } from '../src/markdown/highlight_languages';
import { Markdown } from '../src/markdown/markdown';
import { floods, injections } from './injections.mjs';

const forbidden = new Set(
  ('script iframe object embed style form link meta base img video audio source template input textarea svg frame frameset ' +
    'applet portal foreignobject annotation-xml maction').split(' '),
);
const moment_ms = 1_500; // on a slow, busy machine

function draw(text: string, growing = false): HTMLElement {
  const box = document.createElement('div');
  act(() => render(h(Markdown, { text, growing, marks: [{ at: 3 }], draw_mark: () => h('i', {}, 'moved') }), box));
  expect(box.querySelectorAll('i').length).toBe(1);
  return box;
}

function check(box: Element): void {
  for (const element of box.querySelectorAll('*')) {
    expect(forbidden.has(element.localName.toLowerCase()), element.localName).toBe(false);
    for (const { name, value } of [...element.attributes]) {
      expect(name.toLowerCase().startsWith('on'), name).toBe(false);
      expect(['src', 'srcset', 'srcdoc', 'action', 'formaction', 'xlink:href', 'data', 'id', 'name'], name).not.toContain(name.toLowerCase());
      if (name.toLowerCase() === 'href') {
        expect(element.localName).toBe('a');
        expect(value).toMatch(/^(?:https?:\/\/|mailto:)/);
        expect(element.getAttribute('rel')).toBe('noopener noreferrer nofollow');
      }
      if (name === 'style') expect(value).not.toMatch(/url|position|expression|image/i);
    }
  }
}

beforeAll(async () => {
  // Both lazy parts are here before the first drawing.
  draw('$x$ \n\n```js\nx\n```');
  await new Promise((done) => setTimeout(done, 400));
});

const untouched = Object.getOwnPropertyNames(Object.prototype).join();
afterAll(() => expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(untouched));

describe('what a hostile model writes', () => {
  it('has a list worth the name', () => expect(injections.length).toBeGreaterThanOrEqual(60));

  it.each(injections)('%s', (text) => {
    check(draw(text));
    check(draw(text, true));
  });

  it.each(injections)('inside other Markdown: %s', (text) => {
    check(draw(`> - ${text.replaceAll('\n', '\n>   ')}\n\n**${text}**\n\n| a |\n|---|\n| ${text.replaceAll('\n', ' ')} |`));
  });

  it.each(injections)('cut anywhere: %s', (text) => {
    for (const share of [0.25, 0.5, 0.75]) check(draw(text.slice(0, Math.ceil(text.length * share)), true));
  });

  it('as code in every language is text', () => {
    for (const language of ['xml', 'markdown', 'javascript', 'css', '__proto__', 'constructor']) {
      for (const text of injections) {
        const box = document.createElement('div');
        render(h('pre', {}, highlight(language, text)), box);
        check(box);
        expect(box.textContent).toBe(text);
      }
    }
  });

  it('as TeX makes nothing but MathML', () => {
    for (const text of injections) {
      const box = document.createElement('div');
      render(h('div', {}, draw_maths(text.replaceAll('$', ''), true)), box);
      check(box);
    }
  });
});

describe('floods', () => {
  it.each(floods.map((text) => [`${text.slice(0, 12).replaceAll('\n', '⏎')}… ${text.length}`, text]))('%s', (_name, text) => {
    const began = performance.now();
    const box = draw(text);
    expect(performance.now() - began).toBeLessThan(moment_ms);
    check(box);
  });

  it('a file of conversations with a million list items is text', () => {
    const text = '- <b>x</b>\n'.repeat(1_000_000);
    const began = performance.now();
    const box = draw(text);
    expect(performance.now() - began).toBeLessThan(moment_ms);
    expect(box.querySelectorAll('*').length).toBeLessThan(10);
    expect(box.textContent?.length).toBeGreaterThanOrEqual(text.length - 1);
  });
});
