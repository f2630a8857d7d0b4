// A text that grows, as top-level blocks. A block that is finished stays the same object, so that it is neither read nor
// drawn again; only what stands after the last finished one is read anew.
import type { Token } from 'marked';
import { type Links, lex } from './lexer';

export interface Block {
  at: number; // where it begins in the text
  source: string;
  token: Token;
}

function drawn(token: Token): boolean {
  return token.type !== 'space' && token.type !== 'def';
}

export class BlockReader {
  private finished: Block[] = [];
  private finished_length = 0;
  private text = '';
  private links: Links = Object.create(null) as Links;
  private blocks: readonly Block[] = [];

  read(raw: string): readonly Block[] {
    // The lengths stay as they are: marks count characters.
    const text = raw.includes('\r') ? raw.replace(/\r\n?/g, (end) => (end.length === 2 ? ' \n' : '\n')) : raw;
    if (text === this.text) return this.blocks;
    if (!text.startsWith(this.text.slice(0, this.finished_length))) this.forget();
    this.text = text;
    const known = Object.keys(this.links).length;
    this.read_tail();
    if (Object.keys(this.links).length > known && this.finished.length > 0) {
      // Blocks before may refer to what is defined only now.
      const links = this.links;
      this.forget();
      this.links = links;
      this.read_tail();
    }
    return this.blocks;
  }

  /// The definitions that blocks refer to.
  get definitions(): Links {
    return this.links;
  }

  private forget(): void {
    this.finished = [];
    this.finished_length = 0;
    this.links = Object.create(null) as Links;
  }

  private read_tail(): void {
    const tail = this.text.slice(this.finished_length);
    const tokens = lex(tail, this.links);
    const found: Block[] = [];
    const ends: number[] = [];
    let at = 0;
    let exact = true; // the tokens are the text, piece for piece
    for (const token of tokens) {
      exact &&= tail.startsWith(token.raw, at);
      if (drawn(token)) {
        found.push({ at: this.finished_length + at, source: token.raw, token });
        ends.push(exact ? at + token.raw.length : 0);
      }
      at += token.raw.length;
    }
    this.blocks = [...this.finished, ...found];
    // The last may still grow, and so may the one before it where both are of one list or quotation.
    let sure = found.length - 1;
    while (sure > 0 && (ends[sure - 1] ?? 0) === 0) sure -= 1;
    if (sure > 0) {
      this.finished = [...this.finished, ...found.slice(0, sure)];
      this.finished_length += ends[sure - 1] ?? 0;
    }
  }
}
