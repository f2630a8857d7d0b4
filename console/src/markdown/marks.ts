// Marks in a text at a given character: a sign that no model's text holds is put into the block's source, where prose goes
// on, and is drawn as a mark. Where that place is not prose (code, a table, maths) the mark stands after the block.
import type { Token } from 'marked';
import type { Block } from './blocks';
import { type Links, copy_of, lex } from './lexer';

const first_sign = 0xe0f0; // of a private area
export const max_marks = 12; // in one block

const signs = /[\ue0f0-\ue0fb]/g;
const prose = new Set(['paragraph', 'heading', 'list', 'blockquote', 'text']);

export function split_at_marks(text: string): (string | number)[] {
  const parts: (string | number)[] = [];
  let from = 0;
  for (const { index } of text.matchAll(signs)) {
    if (index > from) parts.push(text.slice(from, index));
    parts.push(text.charCodeAt(index) - first_sign);
    from = index + 1;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

export const without_marks = (text: string): string => text.replace(signs, '');

/// The first place from `at` on where a word begins within a line: no sign of Markdown stands there.
export function prose_place(source: string, at: number): number | null {
  const word = /(?<=[\p{L}\p{N}.,;:!?)]["'”*_~]{0,3} )\p{L}/gu;
  word.lastIndex = at;
  return word.exec(source)?.index ?? null;
}

export interface MarkedBlock {
  token: Token;
  after: number[]; // marks that stand after the block
}

/// `places`: of the marks, counted from the block's beginning, ascending.
export function put_marks(block: Block, places: readonly number[], links: Links): MarkedBlock {
  const all = places.slice(0, max_marks).map((_, index) => index);
  if (!prose.has(block.token.type)) return { token: block.token, after: all };
  const source = block.source.replace(signs, '\ufffd');
  const inside = all.filter((index) => prose_place(source, places[index] ?? 0) !== null);
  let signed = source;
  for (const index of inside.toReversed()) {
    const at = prose_place(source, places[index] ?? 0) ?? 0;
    signed = signed.slice(0, at) + String.fromCharCode(first_sign + index) + signed.slice(at);
  }
  const [token, ...more] = lex(signed, copy_of(links)).filter((one) => one.type !== 'space');
  if (!token || more.length > 0 || token.type !== block.token.type) return { token: block.token, after: all };
  return { token, after: all.filter((index) => !inside.includes(index)) };
}
