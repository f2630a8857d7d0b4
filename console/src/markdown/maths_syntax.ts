// Where maths stands in Markdown: $…$ and \(…\) in a line, $$…$$ and \[…\] apart.
import type { TokenizerAndRendererExtension, Tokens } from 'marked';

export interface MathsToken extends Tokens.Generic {
  type: 'maths';
  text: string; // the TeX
  display: boolean;
}

const longest = 4_000; // characters; longer is text

const inline_forms: [form: RegExp, display: boolean][] = [
  [/^\$\$((?:\\[^]|[^\\$])+?)\$\$/, true],
  [/^\\\[([^]+?)\\\]/, true],
  [/^\\\(([^]+?)\\\)/, false],
  // As in Pandoc: no space inside the signs, no digit after: "$5 and $10" are prices.
  [/^\$(?!\s)((?:\\[^]|[^\\$\n])+?)(?<!\s)\$(?![\d$])/, false],
];

const price = /^\d[\d.,]*(?:[\s,]+[a-z]{2,}|\s*[-–]\s*$)/i; // "$5 and 10$": still prices

function match_inline(source: string): MathsToken | undefined {
  const first = source[0];
  if (first !== '$' && first !== '\\') return undefined;
  const near = source.length > longest ? source.slice(0, longest) : source;
  for (const [form, display] of inline_forms) {
    const found = form.exec(near);
    if (!found?.[1]?.trim() || (!display && first === '$' && price.test(found[1]))) continue;
    return { type: 'maths', raw: found[0], text: found[1].trim(), display };
  }
  return undefined;
}

const block_forms = [/^ {0,3}\$\$((?:\\[^]|[^\\$])+?)\$\$[ \t]*(?:\n+|$)/, /^ {0,3}\\\[([^]+?)\\\][ \t]*(?:\n+|$)/];

function match_block(source: string): MathsToken | undefined {
  if (!/^ {0,3}(?:\$\$|\\\[)/.test(source)) return undefined;
  const near = source.length > longest ? source.slice(0, longest) : source;
  for (const form of block_forms) {
    const found = form.exec(near);
    if (found?.[1]?.trim()) return { type: 'maths', raw: found[0], text: found[1].trim(), display: true };
  }
  return undefined;
}

function first_of(source: string, form: RegExp): number | undefined {
  const at = source.slice(0, longest).search(form);
  return at < 0 ? undefined : at;
}

export const maths_extensions: TokenizerAndRendererExtension[] = [
  {
    name: 'maths',
    level: 'block',
    start: (source) => {
      const at = first_of(source, /\n {0,3}(?:\$\$|\\\[)/);
      return at === undefined ? undefined : at + 1;
    },
    tokenizer: (source) => match_block(source),
  },
  {
    name: 'maths',
    level: 'inline',
    start: (source) => first_of(source, /\$|\\[([]/),
    tokenizer: (source) => match_inline(source),
  },
];
