// Markdown that may still be growing. Blocks that are finished are neither read nor drawn again.
import { memo } from 'preact/compat';
import type { ComponentChild } from 'preact';
import { useRef } from 'preact/hooks';
import { type Block, BlockReader } from './blocks';
import { draw_tokens } from './draw';
import type { Links } from './lexer';
import { with_signs } from './marks';
import './markdown.css';

/// Something to draw at a character of the text. The same mark is the same object each time.
export interface Mark {
  at: number;
}

interface Props<M extends Mark> {
  text: string;
  growing?: boolean;
  marks?: readonly M[];
  draw_mark?: (mark: M) => ComponentChild;
}

interface BlockProps {
  block: Block;
  growing: boolean;
  marks: readonly Mark[];
  draw_mark: ((mark: Mark) => ComponentChild) | undefined;
  links: Links;
}

function BlockView({ block, growing, marks, draw_mark, links }: BlockProps) {
  if (marks.length === 0 || !draw_mark) return <>{draw_tokens([block.token], { growing })}</>;
  const token = with_signs(block, marks.map((mark) => mark.at - block.at), links);
  const drawn = new Set<number>();
  const mark = (index: number) => {
    const one = marks[index];
    if (!one || drawn.has(index)) return null;
    drawn.add(index);
    return draw_mark(one);
  };
  const inside = draw_tokens([token], { growing, mark });
  const after = marks.map((_, index) => mark(index)).filter((one) => one !== null); // those that had no place in it
  return (
    <>
      {inside}
      {after.length > 0 && <p class="after-block">{after}</p>}
    </>
  );
}

const same = (a: BlockProps, b: BlockProps): boolean =>
  a.block === b.block &&
  a.growing === b.growing &&
  a.marks.length === b.marks.length &&
  a.marks.every((mark, index) => mark === b.marks[index]);

const KeptBlock = memo(BlockView, same);

/// A mark belongs to the last block that begins before it.
function marks_of(blocks: readonly Block[], index: number, marks: readonly Mark[]): readonly Mark[] {
  if (marks.length === 0) return marks;
  const from = index === 0 ? 0 : (blocks[index]?.at ?? 0);
  const to = blocks[index + 1]?.at ?? Infinity;
  return marks.filter((mark) => mark.at >= from && mark.at < to);
}

export function Markdown<M extends Mark>({ text, growing = false, marks = [], draw_mark }: Props<M>) {
  const reader = useRef<BlockReader | null>(null);
  reader.current ??= new BlockReader();
  const blocks = reader.current.read(text);
  const links = reader.current.definitions;
  const draw = draw_mark as ((mark: Mark) => ComponentChild) | undefined;
  return (
    <div class="markdown">
      {blocks.map((block, index) => (
        <KeptBlock
          key={block.at}
          block={block}
          growing={growing && index === blocks.length - 1}
          marks={marks_of(blocks, index, marks)}
          draw_mark={draw}
          links={links}
        />
      ))}
      {blocks.length === 0 && draw && marks.map((mark) => draw(mark as M))}
    </div>
  );
}
