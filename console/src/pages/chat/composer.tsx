// Where one writes. Enter sends, Shift+Enter begins a new line; files come by button, by drop and by paste.
import { ArrowUp, FileText, Paperclip, Square, X } from 'lucide-preact';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import './composer.css';
import { attach, detach, draft_of } from './drafts';

interface Props {
  conversation_id: string;
  box: RefObject<HTMLTextAreaElement>;
  busy: boolean;
  onSend: () => void;
  onStop: () => void;
}

const tallest_px = 240;

export function Composer({ conversation_id, box, busy, onSend, onStop }: Props) {
  const draft = draft_of(conversation_id);
  const text = draft.text.value;
  const attached = draft.attached.value;
  const refused = draft.refused.value;
  const picker = useRef<HTMLInputElement>(null);
  const can_send = !busy && (text.trim() !== '' || attached.length > 0);
  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, tallest_px)}px`;
  }, [text]);
  const send = () => {
    if (can_send) onSend();
  };
  const take = (files: File[]) => {
    void attach(conversation_id, files);
    box.current?.focus({ preventScroll: true });
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {attached.length > 0 && (
        <ul class="chips" aria-label="Attached files">
          {attached.map((one, index) => (
            <li key={one.name + index}>
              <FileText size={14} aria-hidden="true" />
              <span>{one.name}</span>
              <button type="button" class="plain" aria-label={`Remove ${one.name}`} onClick={() => detach(conversation_id, index)}>
                <X size={14} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {refused.length > 0 && (
        <div class="refused" role="alert">
          {refused.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      )}
      <div class="composer-row">
        <button type="button" class="plain icon" aria-label="Attach text files" title="Attach text files" onClick={() => picker.current?.click()}>
          <Paperclip size={19} aria-hidden="true" />
        </button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Text files"
          onChange={(event) => {
            take([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = '';
          }}
        />
        <textarea
          ref={box}
          rows={1}
          aria-label="Message"
          placeholder="Say something"
          value={text}
          onInput={(event) => (draft.text.value = event.currentTarget.value)}
          onPaste={(event) => {
            const files = [...(event.clipboardData?.files ?? [])];
            if (files.length === 0) return;
            event.preventDefault();
            take(files);
          }}
          onKeyDown={(event) => {
            // An input method takes Enter for its own; some browsers say so only by 229.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
            event.preventDefault();
            send();
          }}
        />
        {busy ? (
          <button type="button" class="round" aria-label="Stop" title="Stop" onClick={onStop}>
            <Square size={14} fill="currentColor" aria-hidden="true" />
          </button>
        ) : (
          <button type="submit" class="round" aria-label="Send" title="Send" disabled={!can_send}>
            <ArrowUp size={19} aria-hidden="true" />
          </button>
        )}
      </div>
    </form>
  );
}
