// A question: shown as it was written, with its files; it can be changed and asked again.
import { FileText, Pencil } from 'lucide-preact';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import { ask_instead } from './ask';
import type { Question } from './types';

interface Props {
  conversation_id: string;
  question: Question;
  busy: boolean;
}

function Editor({ question, onSend, onCancel }: { question: Question; onSend: (text: string) => void; onCancel: () => void }) {
  const [text, set_text] = useState(question.text);
  return (
    <form
      class="edit-question"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onSend(text.trim());
      }}
    >
      <textarea
        aria-label="Question"
        rows={Math.min(10, text.split('\n').length + 1)}
        value={text}
        ref={(area) => area?.focus()}
        onInput={(event) => set_text(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && onCancel()}
      />
      <div class="row">
        <button type="button" class="secondary small" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="small" disabled={!text.trim()}>
          Ask this instead
        </button>
      </div>
    </form>
  );
}

function View({ conversation_id, question, busy }: Props) {
  const [editing, set_editing] = useState(false);
  return (
    <article class="message question" aria-label="You">
      <h2 class="sr-only">You</h2>
      {question.attachments.length > 0 && (
        <ul class="chips" aria-label="Attached files">
          {question.attachments.map((one, index) => (
            <li key={index}>
              <FileText size={14} aria-hidden="true" />
              <span>{one.name}</span>
            </li>
          ))}
        </ul>
      )}
      {editing ? (
        <Editor
          question={question}
          onCancel={() => set_editing(false)}
          onSend={(text) => {
            set_editing(false);
            void ask_instead(conversation_id, question.id, text);
          }}
        />
      ) : (
        question.text && <div class="bubble">{question.text}</div>
      )}
      {!editing && (
        <div class="actions">
          <button type="button" class="plain icon" aria-label="Change this question" title="Change" disabled={busy} onClick={() => set_editing(true)}>
            <Pencil size={15} aria-hidden="true" />
          </button>
        </div>
      )}
    </article>
  );
}

export const QuestionView = memo(View);
