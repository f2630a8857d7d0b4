// The node's log, as it comes. Lines are asked of the node only while this is open.
import { memo } from 'preact/compat';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { read_only_reason } from '../../api/access';
import { hello, log, may_change, want_log } from '../../live/live';
import type { LogLine } from '../../live/types';
import { plural } from '../../format';
import { CopyButton } from '../../ui/parts';
import { type Level, as_text, clock, filtered } from './log_lines';

const near_the_end_px = 24;

const Line = memo(function Line({ line }: { line: LogLine }) {
  return (
    <li data-level={line.level}>
      <time dateTime={line.time}>{clock(line.time)}</time>
      <span class="level">{line.level}</span>
      <span class="said">{line.message}</span>
    </li>
  );
});

/// Keeps the newest line in sight, unless somebody has scrolled away from it. Lines get their true height only when they
/// come into sight, so the end moves without a new line, too.
function use_end(lines: readonly LogLine[]) {
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const follows = useRef(true);
  const last_top = useRef(0);
  const go_to_end = () => {
    if (box.current && follows.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(go_to_end, [lines]);
  useEffect(() => {
    const observer = new ResizeObserver(go_to_end);
    if (list.current) observer.observe(list.current);
    return () => observer.disconnect();
  }, []);
  const on_scroll = () => {
    const it = box.current;
    if (!it) return;
    if (it.scrollHeight - it.scrollTop - it.clientHeight < near_the_end_px) follows.current = true;
    else if (it.scrollTop < last_top.current) follows.current = false;
    last_top.current = it.scrollTop;
  };
  return { box, list, on_scroll };
}

function Lines({ lines }: { lines: readonly LogLine[] }) {
  const { box, list, on_scroll } = use_end(lines);
  return (
    <div ref={box} class="log-lines" role="region" aria-label="Log lines" tabIndex={0} onScroll={on_scroll}>
      <ol ref={list}>
        {lines.map((line) => (
          <Line key={line.seq} line={line} />
        ))}
      </ol>
    </div>
  );
}

function OpenLog() {
  const [least, set_least] = useState<Level>('trace');
  const [text, set_text] = useState('');
  const [held, set_held] = useState<readonly LogLine[] | null>(null);
  useEffect(() => {
    want_log(true);
    return () => want_log(false);
  }, []);
  const all = held ?? log.value;
  const lines = useMemo(() => filtered(all, least, text), [all, least, text]);
  return (
    <>
      <div class="log-tools">
        <label>
          <span class="sr-only">Least level</span>
          <select value={least} onChange={(event) => set_least(event.currentTarget.value as Level)}>
            <option value="trace">All levels</option>
            <option value="info">Information and above</option>
            <option value="warning">Warnings and errors</option>
            <option value="error">Errors only</option>
          </select>
        </label>
        <input
          type="search"
          aria-label="Text to look for in the log"
          placeholder="Filter"
          value={text}
          onInput={(event) => set_text(event.currentTarget.value)}
        />
        <button type="button" class="outline small" aria-pressed={held !== null} onClick={() => set_held(held ? null : log.value)}>
          {held ? 'Go on' : 'Pause'}
        </button>
        <CopyButton text={() => as_text(lines)} label="Copy these lines" />
      </div>
      {hello.value && !may_change.value && all.length === 0 ? (
        <p class="muted">The node tells its log only to those who may change it. {read_only_reason.value}</p>
      ) : (
        <Lines lines={lines} />
      )}
      <p class="muted" role="status">
        {lines.length === all.length ? plural(lines.length, 'line') : `${lines.length} of ${plural(all.length, 'line')}`}
        {held ? ', paused' : ''}
      </p>
    </>
  );
}

export function LogCard() {
  const [open, set_open] = useState(true);
  return (
    <section class="card" aria-label="Log">
      <header>
        <h2>Log</h2>
        <button type="button" class="plain small" aria-expanded={open} onClick={() => set_open(!open)}>
          {open ? 'Hide the log' : 'Show the log'}
        </button>
      </header>
      {open && <OpenLog />}
    </section>
  );
}
