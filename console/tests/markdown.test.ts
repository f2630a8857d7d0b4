// @vitest-environment happy-dom
import { h, render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import { BlockReader } from '../src/markdown/blocks';
import { language_name } from '../src/markdown/code_block';
import { copy_of, lex } from '../src/markdown/lexer';
import { decode_references, safe_address } from '../src/markdown/links';
import { type Mark, Markdown } from '../src/markdown/markdown';
import { prose_place } from '../src/markdown/marks';

const boxes: HTMLElement[] = [];

// What is still being fetched for a drawing (colours of code) must not be drawn after the last test.
afterEach(() => boxes.splice(0).forEach((box) => render(null, box)));

function draw(text: string, marks: Mark[] = []): HTMLElement {
  const box = document.createElement('div');
  boxes.push(box);
  act(() => render(h(Markdown, { text, marks, draw_mark: (mark: Mark) => h('i', {}, `@${mark.at}`) }), box));
  return box;
}

const maths_of = (text: string): string[] => {
  const found: string[] = [];
  const look = (tokens: ReturnType<typeof lex>): void =>
    tokens.forEach((token) => {
      if (token.type === 'maths') found.push(String((token as { text?: string }).text));
      if ('tokens' in token && token.tokens) look(token.tokens);
      if (token.type === 'list') (token as { items: { tokens: ReturnType<typeof lex> }[] }).items.forEach((item) => look(item.tokens));
    });
  look(lex(text, copy_of({})));
  return found;
};

describe('Markdown', () => {
  it('draws what GFM knows', () => {
    const box = draw('# A\n\n**b** *c* ~~d~~ `e`\n\n- [x] f\n- [ ] g\n\n3. h\n\n> i\n\n| j | k |\n|--:|---|\n| 1 | 2 |\n\n---\n\n```c++\nl\n```');
    expect(box.querySelector('h3')?.textContent).toBe('A');
    expect(['strong', 'em', 'del', 'p code'].map((one) => box.querySelector(one)?.textContent)).toEqual(['b', 'c', 'd', 'e']);
    expect(box.querySelectorAll('.tick.done')).toHaveLength(1);
    expect(box.querySelectorAll('.tick')).toHaveLength(2);
    expect(box.querySelector('ol')?.getAttribute('start')).toBe('3');
    expect(box.querySelector('blockquote')?.textContent).toBe('i');
    expect(box.querySelector('td.align-right')?.textContent).toBe('1');
    expect(box.querySelector('hr')).not.toBeNull();
    expect(box.querySelector('.code-head span')?.textContent).toBe('cpp');
    expect(box.querySelector('pre')?.textContent).toBe('l');
  });

  it('shows HTML as text and breaks lines at <br>', () => {
    const box = draw('a <b>x</b><br>c &lt;i&gt; &amp;');
    expect(box.textContent).toBe('a <b>x</b>c <i> &');
    expect(box.querySelectorAll('br')).toHaveLength(1);
  });

  it('links only where it is safe, and shows the address elsewhere', () => {
    const box = draw('[a](https://example.org/x) [b](ftp://example.org) ![c](https://example.org/d.png)');
    expect([...box.querySelectorAll('a')].map((one) => [one.textContent, one.getAttribute('href')])).toEqual([
      ['a', 'https://example.org/x'],
      ['c', 'https://example.org/d.png'],
    ]);
    expect(box.querySelector('.no-link')?.textContent).toBe('b (ftp://example.org)');
    expect(box.querySelector('img')).toBeNull();
  });
});

describe('addresses', () => {
  it.each(['http://a.example', 'HTTPS://a.example/?a=1&amp;b=2', 'mailto:a@b.example'])('takes %s', (one) => expect(safe_address(one)).not.toBeNull());
  it.each(['javascript:x', 'java\nscript:x', '//a.example', '/a', '#a', 'https://a@b.example', 'http:a', 'https://', `https://a.example/${'x'.repeat(3000)}`])(
    'refuses %s',
    (one) => expect(safe_address(one)).toBeNull(),
  );
  it('reads character references', () => expect(decode_references('&lt;&#65;&#x42;&nosuch;&toString;&#0;')).toBe('<AB&nosuch;&toString;\ufffd'));
});

describe('maths', () => {
  it.each([
    ['$x^2$ and $y$', ['x^2', 'y']],
    ['costs $5 and $10', []],
    ['costs $5, and 10$ more', []],
    ['$ x $', []],
    ['\\(a\\) \\[b\\] $$c$$', ['a', 'b', 'c']],
    ['$$\na\n= b\n$$', ['a\n= b']],
    ['\\[\na\n\\]', ['a']],
    ['`$x$` \\$y\\$', []],
    ['- $x$', ['x']],
    ['text\n$$\nx\n$$\nmore', ['x']],
    ['US$5 to US$6', []],
    ['a $\\$5$ b', ['\\$5']],
  ])('%j', (text, expected) => expect(maths_of(text)).toEqual(expected));
});

describe('a text that grows', () => {
  const text = '# A\n\nb **c**\n\n- d\n\n- e\n\n```js\nf\n\ng\n```\n\n> h\ni\n\n| j |\n|---|\n| k |\n\n    l\n\n    m\n\n$$\nn\n$$\n\no [p][q]\n\n[q]: https://example.org\n\nr';

  it('is the same as one that came at once, wherever it was cut', () => {
    const reader = new BlockReader();
    for (let end = 1; end <= text.length; end += 1) {
      const grown = JSON.stringify(reader.read(text.slice(0, end)));
      expect(grown).toBe(JSON.stringify(new BlockReader().read(text.slice(0, end))));
    }
  });

  it('keeps finished blocks as they are', () => {
    const reader = new BlockReader();
    const [first] = reader.read('a\n\nb\n\nc');
    expect(reader.read('a\n\nb\n\nc and more\n\nd')[0]).toBe(first);
  });

  it('begins anew with another text', () => {
    const reader = new BlockReader();
    reader.read('a\n\nb\n\nc');
    expect(reader.read('x').map((one) => one.source)).toEqual(['x']);
  });
});

describe('marks', () => {
  it('stand where a word begins', () => {
    expect(prose_place('one two three', 5)).toBe(8);
    expect(prose_place('- one\n- two', 0)).toBeNull();
  });

  it('are drawn within prose', () => {
    expect(draw('one two **three** four', [{ at: 5 }]).textContent).toBe('one two three @5four');
    expect(draw('- one two\n- three four', [{ at: 15 }]).querySelectorAll('li')[1]?.textContent).toBe('three @15four');
  });

  it('stand after what is not prose, and after the last word', () => {
    const code = draw('a\n\n```\nb c d\n```\n\ne', [{ at: 8 }]);
    expect(code.querySelector('pre')?.textContent).toBe('b c d');
    expect(code.textContent).toContain('@8e');
    expect(draw('one', [{ at: 3 }]).textContent).toBe('one@3');
    expect(draw('', [{ at: 0 }]).textContent).toBe('@0');
  });

  it('never change what the text means', () => {
    const text = 'a [b c](https://example.org/d "e f") `g h i` $x y$ **j k** ![l m](n o)';
    const plain = draw(text).textContent;
    for (let at = 0; at <= text.length; at += 1) {
      const box = draw(text, [{ at }]);
      expect(box.querySelectorAll('i')).toHaveLength(1);
      expect(box.textContent?.replace(`@${at}`, '')).toBe(plain);
    }
  });

  it('stand beside what is named like a part of every object', () => {
    expect(draw('a [constructor][toString] b [__proto__] c', [{ at: 2 }]).textContent).toBe('a [constructor][toString] @2b [proto] c');
  });

  it('that the model has made up are text', () => {
    expect(draw('a \ue0f0 b c', [{ at: 1 }]).querySelectorAll('i')).toHaveLength(1);
  });
});

describe('names of languages', () => {
  it.each([['C++', 'cpp'], ['js title="x"', 'js'], ['"><b>', ''], ['', ''], ['__proto__', '__proto__'], ['constructor', 'constructor']])('%j is %j', (written, name) => expect(language_name(written)).toBe(name));
});
