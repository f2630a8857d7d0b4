// The messages. It follows what comes only while the reader is at its end.
import { ArrowDown } from 'lucide-preact';
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { AnswerView } from './answer_view';
import { QuestionView } from './question_view';
import type { Conversation } from './types';
import './messages.css';

const near_px = 48; // from the end: still at it
const hand_ms = 800; // what scrolls so soon after a wheel, key or finger was moved by it

export function MessageLog({ conversation, busy }: { conversation: Conversation; busy: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const inside = useRef<HTMLDivElement>(null);
  const at_end = useRef(true);
  const last_top = useRef(0);
  const hand_at = useRef(-Infinity);
  const [away, set_away] = useState(false);
  const { id, messages } = conversation;
  const to_end = useCallback(() => {
    at_end.current = true;
    set_away(false);
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, []);
  const by_hand = () => {
    hand_at.current = performance.now();
  };
  const on_scroll = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    const left = scrollHeight - scrollTop - clientHeight;
    const moved_by_hand = performance.now() - hand_at.current < hand_ms;
    const went_up = moved_by_hand && scrollTop < last_top.current; // however little: the page lets go
    last_top.current = scrollTop;
    if (left < near_px && !went_up) at_end.current = true;
    else if (moved_by_hand || left > clientHeight) at_end.current = false; // and not because something grew
    set_away(!at_end.current && left >= near_px);
  };
  // A question of one's own always leads to the end.
  const count = messages.length;
  useLayoutEffect(to_end, [count]);
  useLayoutEffect(() => {
    if (!inside.current || !box.current) return;
    const follow = new ResizeObserver(() => {
      if (!box.current) return;
      const { scrollHeight, scrollTop, clientHeight } = box.current;
      if (at_end.current) box.current.scrollTop = scrollHeight;
      else set_away(scrollHeight - scrollTop - clientHeight >= near_px);
    });
    follow.observe(inside.current);
    follow.observe(box.current);
    return () => follow.disconnect();
  }, []);
  return (
    <div class="log-frame">
      {/* Pieces are not read out as they come; the page's status says when an answer has ended. */}
      <div
        class="log"
        ref={box}
        role="log"
        aria-live="off"
        aria-busy={busy}
        aria-label="Messages"
        tabIndex={0}
        onScroll={on_scroll}
        onWheel={by_hand}
        onTouchMove={by_hand}
        onPointerDown={by_hand}
        onKeyDown={by_hand}
      >
        <div class="log-inside" ref={inside}>
          {messages.map((message, index) =>
            message.role === 'user' ? (
              <QuestionView key={message.id} conversation_id={id} question={message} busy={busy} />
            ) : (
              <AnswerView key={message.id} conversation_id={id} answer={message} is_last={index === messages.length - 1} busy={busy} />
            ),
          )}
        </div>
      </div>
      {away && (
        <button
          type="button"
          class="to-end"
          onClick={() => {
            to_end();
            box.current?.focus({ preventScroll: true }); // the button goes
          }}
        >
          <ArrowDown size={16} aria-hidden="true" />
          To the newest
        </button>
      )}
    </div>
  );
}
