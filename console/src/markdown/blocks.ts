// A text that grows, as top-level blocks. A block that is finished stays the same object, so that it is neither read nor
// drawn again; only what stands after the last finished one is read anew.
import type { Token, Tokens } from 'marked';
import { type Links, copy_of, lex } from './lexer';

export interface Block {
  at: number; // where it begins in the text
  source: string;
  token: Token;
}

const no_links = (): Links => copy_of({});

function drawn(token: Token): boolean {
  return token.type !== 'space' && token.type !== 'def';
}

export class BlockReader {
  private finished: Block[] = [];
  private finished_length = 0;
  private finished_links: Links = no_links();
  private text = '';
  private links: Links = no_links();
  private blocks: readonly Block[] = [];

  read(raw: string): readonly Block[] {
    // The lengths stay as they are: marks count characters.
    const text = raw.includes('\r') ? raw.replace(/\r\n?/g, (end) => (end.length === 2 ? ' \n' : '\n')) : raw;
    if (text === this.text) return this.blocks;
    if (!text.startsWith(this.text.slice(0, this.finished_length))) this.forget();
    this.text = text;
    const before = JSON.stringify(this.links);
    this.read_tail(this.finished_links);
    if (this.finished.length > 0 && JSON.stringify(this.links) !== before) {
      // Blocks before may refer to what is defined only now.
      const { links } = this;
      this.forget();
      this.read_tail(links);
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
    this.finished_links = no_links();
  }

  private read_tail(known: Links): void {
    const tail = this.text.slice(this.finished_length);
    this.links = copy_of(known);
    const tokens = lex(tail, this.links);
    const found: Block[] = [];
    const ends: number[] = []; // 0: not known
    const definitions: { tag: string; end: number }[] = [];
    let at = 0;
    let exact = true; // the tokens are the text, piece for piece
    for (const token of tokens) {
      exact &&= tail.startsWith(token.raw, at);
      const end = exact ? at + token.raw.length : 0;
      if (token.type === 'def') definitions.push({ tag: (token as Tokens.Def).tag, end });
      if (drawn(token)) {
        found.push({ at: this.finished_length + at, source: token.raw, token });
        ends.push(end);
      }
      at += token.raw.length;
    }
    this.blocks = [...this.finished, ...found];
    // The last one may still grow.
    let sure = found.length - 1;
    while (sure > 0 && (ends[sure - 1] ?? 0) === 0) sure -= 1;
    if (sure <= 0) return;
    const sure_end = ends[sure - 1] ?? 0;
    for (const { tag, end } of definitions) {
      const link = this.links[tag];
      if (end <= sure_end && link) this.finished_links[tag] = link;
    }
    this.finished = [...this.finished, ...found.slice(0, sure)];
    this.finished_length += sure_end;
  }
}
