// @vitest-environment node
// The looks of a page stay in the document when it is left: its classes must be no other page's.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src/', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
const read = (file: string) => readFileSync(path.join(src, file), 'utf8');
const page_of = (file: string) => /^pages[\\/](\w+)/.exec(file)?.[1] ?? '';

/// Classes by which a selector begins: what it says is said of them wherever they stand.
function styled(css: string): string[] {
  const selectors = [...css.replace(/\/\*[^]*?\*\//g, '').matchAll(/([^{}]+)\{/g)].flatMap(([, all = '']) => all.split(','));
  return selectors.flatMap((one) => /^\s*[a-z]*\.([\w-]+)/.exec(one)?.[1] ?? []);
}

function used(tsx: string): string[] {
  return [...tsx.matchAll(/class=(?:"([^"]+)"|\{((?:\$\{[^}]*\}|[^}])*)\})/g)].flatMap(([, text = '', code = '']) => {
    const quoted = code.replace(/\$\{[^}]*\}/g, ' ').match(/'[^']*'|`[^`]*`/g) ?? [];
    return [text, ...quoted].join(' ').match(/[\w-]+/g) ?? [];
  });
}

it('no page styles what is on another', () => {
  const clashes: string[] = [];
  for (const css of files.filter((file) => file.endsWith('.css') && page_of(file))) {
    const classes = new Set(styled(read(css)));
    for (const tsx of files.filter((file) => file.endsWith('.tsx') && page_of(file) !== page_of(css))) {
      for (const one of new Set(used(read(tsx)))) if (classes.has(one)) clashes.push(`.${one} of ${css} is on ${tsx}`);
    }
  }
  expect(clashes).toEqual([]);
});
