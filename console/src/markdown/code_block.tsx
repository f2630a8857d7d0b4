// Code with its language, a button that copies it, and colours where it can be seen.
import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CopyButton } from '../ui/parts';
import { highlighter, load_highlighter, max_highlighted } from './highlight';

const redraw_ms = 300; // while it grows

const other_names = new Map([
  ['c++', 'cpp'],
  ['c#', 'csharp'],
  ['shell', 'bash'],
  ['console', 'bash'],
  ['text', ''],
  ['txt', ''],
  ['plaintext', ''],
]);

/// "c++" and "C++ title=x" are cpp to the one that colours; what is no name is none.
export function language_name(written: string): string {
  const name = /^[\w+#.-]{1,24}/.exec(written.trim())?.[0]?.toLowerCase() ?? '';
  return other_names.get(name) ?? name;
}

function useSeen(element: { current: Element | null }): boolean {
  const [seen, set_seen] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    if (seen || !element.current) return;
    const watch = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && set_seen(true), { rootMargin: '300px' });
    watch.observe(element.current);
    return () => watch.disconnect();
  }, [seen]);
  return seen;
}

export function CodeBlock({ text, language, growing }: { text: string; language: string; growing: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useSeen(box);
  const [drawn, set_drawn] = useState<{ text: string; children: ComponentChild } | null>(null);
  const drawn_at = useRef(0);
  const name = language_name(language);
  useEffect(() => {
    if (!seen || !name || text.length > max_highlighted) return;
    let wanted = true;
    const colour = async () => {
      const highlight = highlighter() ?? (await load_highlighter());
      if (!wanted) return;
      drawn_at.current = performance.now();
      set_drawn({ text, children: highlight(name, text) });
    };
    const wait = growing ? Math.max(0, redraw_ms - (performance.now() - drawn_at.current)) : 0;
    const timer = setTimeout(() => void colour().catch(() => undefined), wait);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text, name, growing, seen]);
  // What came since the colours were put on follows plainly.
  const coloured = drawn && text.startsWith(drawn.text) ? [drawn.children, text.slice(drawn.text.length)] : text;
  return (
    <div class="code-block" ref={box}>
      <div class="code-head">
        <span>{name || 'text'}</span>
        <CopyButton text={text} />
      </div>
      <pre tabIndex={0}>
        <code>{coloured}</code>
      </pre>
    </div>
  );
}
