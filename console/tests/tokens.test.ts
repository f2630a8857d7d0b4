// @vitest-environment node
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const css = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');
const blocks = [...css.matchAll(/([^{}]+)\{([^{}]+)\}/g)].map(([, selector = '', body = '']) => ({
  selector: selector.replace(/\/\*[^]*?\*\//g, '').trim(),
  names: [...body.matchAll(/(--[\w-]+):/g)].map(([, name]) => name),
}));

it('each colour is listed once for each theme', () => {
  const [light, dark, ...others] = blocks;
  expect([light?.selector, dark?.selector]).toEqual([':root', ":root[data-theme='dark']"]);
  expect(dark?.names).toEqual(light?.names);
  for (const { names } of others) expect(names.filter((name) => light?.names.includes(name))).toEqual([]);
});
