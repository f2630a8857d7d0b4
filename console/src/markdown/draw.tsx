// Tokens into elements. No HTML is ever made: what a model writes becomes text nodes, and the few elements named here.
import type { Token, Tokens } from 'marked';
import type { ComponentChild, JSX } from 'preact';
import { CodeBlock } from './code_block';
import { decode_references, safe_address } from './links';
import { split_at_marks, without_marks } from './marks';
import { Maths } from './maths';
import type { MathsToken } from './maths_syntax';

const deepest = 40; // elements; the lexer stops earlier

export interface Drawing {
  mark?: (index: number) => ComponentChild;
  growing?: boolean; // more of it is coming
}

function text_of(text: string, drawing: Drawing): ComponentChild {
  const plain = decode_references(text);
  if (!drawing.mark) return plain;
  return split_at_marks(plain).map((part) => (typeof part === 'string' ? part : drawing.mark?.(part)));
}

/// What is drawn as it is written may hold a mark's sign: the mark follows it.
function with_marks_after(raw: string, drawn: ComponentChild, drawing: Drawing): ComponentChild {
  if (!drawing.mark) return drawn;
  const marks = split_at_marks(raw).filter((part) => typeof part === 'number');
  return marks.length === 0 ? drawn : [drawn, ...marks.map((index) => drawing.mark?.(index))];
}

function link(token: Tokens.Link | Tokens.Image, inside: ComponentChild, drawing: Drawing): ComponentChild {
  const written = drawing.mark ? without_marks(token.href) : token.href;
  const address = safe_address(written);
  const drawn = address ? (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={address}>
      {inside}
    </a>
  ) : (
    <span class="no-link">
      {inside}
      {written && ` (${written})`}
    </span>
  );
  return with_marks_after(token.raw, drawn, drawing);
}

function table(token: Tokens.Table, drawing: Drawing, depth: number): ComponentChild {
  const cell = (one: Tokens.TableCell) => draw_tokens(one.tokens, drawing, depth + 2);
  const align = (one: Tokens.TableCell) => (one.align ? `align-${one.align}` : undefined);
  return (
    <div class="table-wrap" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {token.header.map((one) => (
              <th scope="col" class={align(one)}>
                {cell(one)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row) => (
            <tr>
              {row.map((one) => (
                <td class={align(one)}>{cell(one)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function list(token: Tokens.List, drawing: Drawing, depth: number): ComponentChild {
  const items = token.items.map((item) => (
    <li class={item.task ? 'task' : undefined}>
      {item.task && (
        <span class={item.checked ? 'tick done' : 'tick'} role="img" aria-label={item.checked ? 'done' : 'to do'} />
      )}
      {draw_tokens(item.tokens, drawing, depth + 2)}
    </li>
  ));
  const start = Number(token.start);
  return token.ordered ? <ol start={Number.isSafeInteger(start) && start >= 0 ? start : 1}>{items}</ol> : <ul>{items}</ul>;
}

/// One level for all: a model begins with whichever it likes, and the page's outline must not have gaps.
function heading(token: Tokens.Heading, inside: ComponentChild): ComponentChild {
  return <h3 class={`level-${token.depth}`}>{inside}</h3>;
}

function draw_token(token: Token, drawing: Drawing, depth: number): ComponentChild {
  const inner = 'tokens' in token ? token.tokens : undefined;
  const inside = () => draw_tokens(inner ?? [], drawing, depth + 1);
  const wrap = (Element: keyof JSX.IntrinsicElements & ('p' | 'strong' | 'em' | 'del' | 'blockquote')) => <Element>{inside()}</Element>;
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'paragraph':
      return wrap('p');
    case 'heading':
      return heading(token as Tokens.Heading, inside());
    case 'blockquote':
      return wrap('blockquote');
    case 'list':
      return list(token as Tokens.List, drawing, depth);
    case 'table':
      return table(token as Tokens.Table, drawing, depth);
    case 'code': {
      const { text, lang, raw } = token as Tokens.Code;
      const closed = !drawing.growing || /\n[ \t>]*(?:`{3,}|~{3,})\s*$/.test(raw);
      return with_marks_after(text, <CodeBlock text={without_marks_if(text, drawing)} language={lang ?? ''} growing={!closed} />, drawing);
    }
    case 'hr':
      return <hr />;
    case 'strong':
      return wrap('strong');
    case 'em':
      return wrap('em');
    case 'del':
      return wrap('del');
    case 'br':
      return <br />;
    case 'codespan':
      return with_marks_after((token as Tokens.Codespan).text, <code>{without_marks_if((token as Tokens.Codespan).text, drawing)}</code>, drawing);
    case 'link':
      return link(token as Tokens.Link, inside(), drawing);
    case 'image':
      return link(token as Tokens.Image, decode_references(without_marks_if((token as Tokens.Image).text, drawing)) || 'image', drawing);
    case 'maths': {
      const { text, display, raw } = token as MathsToken;
      return with_marks_after(raw, <Maths tex={without_marks_if(text, drawing)} display={display} />, drawing);
    }
    case 'html': {
      const { raw, block } = token as Tokens.HTML;
      if (/^<br\s*\/?>$/i.test(raw)) return <br />;
      return block ? <p class="as-written">{text_of(raw.trimEnd(), { ...drawing })}</p> : text_of(raw, drawing);
    }
    case 'text':
      return inner ? inside() : text_of((token as Tokens.Text).text, drawing);
    case 'escape':
      return text_of((token as Tokens.Escape).text, drawing);
    default:
      return text_of(token.raw, drawing);
  }
}

const without_marks_if = (text: string, drawing: Drawing): string => (drawing.mark ? without_marks(text) : text);

export function draw_tokens(tokens: readonly Token[], drawing: Drawing, depth = 0): ComponentChild[] {
  if (depth > deepest) return [tokens.map((token) => token.raw).join('')];
  return tokens.map((token) => draw_token(token, drawing, depth));
}
