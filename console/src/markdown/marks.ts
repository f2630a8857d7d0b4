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
  const word = /(?<=[\p{L}\p{N}.,;:!?)\]]["'”*_~]{0,3} )\p{L}/gu;
  word.lastIndex = at;
  return word.exec(source)?.index ?? null;
}

/// The block with signs in it, as far as it has places for them. `places`: of the marks, from the block's beginning.
export function with_signs(block: Block, places: readonly number[], links: Links): Token {
  if (!prose.has(block.token.type)) return block.token;
  let signed = block.source.replace(signs, '\ufffd');
  const found = places.slice(0, max_marks).map((place, index) => ({ at: prose_place(signed, place), index }));
  // From the end on, so that the places before stay as they are.
  for (const { at, index } of [...found].sort((a, b) => (b.at ?? 0) - (a.at ?? 0) || b.index - a.index)) {
    if (at !== null) signed = signed.slice(0, at) + String.fromCharCode(first_sign + index) + signed.slice(at);
  }
  const [token, ...more] = lex(signed, copy_of(links)).filter((one) => one.type !== 'space');
  return token && more.length === 0 && token.type === block.token.type ? token : block.token;
}
