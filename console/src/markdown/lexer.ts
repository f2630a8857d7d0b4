// Markdown into tokens, by marked's lexer (GFM), with bounds on what hostile text can cost: nesting beyond max_depth and very
// long lines stay text.
import { Lexer, Marked, type Token, type Tokens } from 'marked';
import { maths_extensions } from './maths_syntax';

export type Links = Record<string, Pick<Tokens.Link, 'href' | 'title'>>;

/// Without a prototype: "constructor" is no definition.
export const copy_of = (links: Links): Links => Object.assign(Object.create(null) as Links, links);

export const max_depth = 12; // blocks in blocks, emphasis in emphasis
const max_read = 500_000; // characters at once: no model writes so much, but a file of conversations may hold it
const max_inline = 16_000; // characters that are looked at for emphasis and links together
const max_signs = 400; // of those that make the lexer look far ahead, in one such piece

const engine = new Marked({ gfm: true }).use({ extensions: maths_extensions });

const as_text = (text: string): Token => ({ type: 'text', raw: text, text });

function too_costly(source: string): boolean {
  return source.length > max_inline || (source.match(/[[*_~`<]/g)?.length ?? 0) > max_signs;
}

class BoundedLexer extends Lexer {
  private depth = 0;

  private deeper(source: string, tokens: Token[], go: () => Token[]): Token[] {
    if (this.depth >= max_depth) {
      tokens.push(as_text(source));
      return tokens;
    }
    this.depth += 1;
    try {
      return go();
    } finally {
      this.depth -= 1;
    }
  }

  override blockTokens(source: string, tokens: Token[] = [], clipped?: boolean): never {
    return this.deeper(source, tokens, () => super.blockTokens(source, tokens, clipped)) as never;
  }

  override inlineTokens(source: string, tokens: Token[] = []): Token[] {
    if (too_costly(source)) {
      tokens.push(as_text(source));
      return tokens;
    }
    return this.deeper(source, tokens, () => super.inlineTokens(source, tokens));
  }
}

/// The top-level tokens of `source`, whose lines end in \n. Link definitions that it holds are added to `links`.
export function lex(source: string, links: Links): Token[] {
  if (source.length > max_read) return [{ type: 'html', block: true, pre: false, raw: source, text: source }]; // shown as it is written
  try {
    const lexer = new BoundedLexer(engine.defaults);
    lexer.tokens.links = links as typeof lexer.tokens.links;
    return [...lexer.lex(source)];
  } catch {
    return [as_text(source)]; // the lexer gave up on it
  }
}
