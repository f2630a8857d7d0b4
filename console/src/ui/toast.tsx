// Short notices at the edge of the page: what was done, or what went wrong. Read out by screen readers.
import { signal } from '@preact/signals';
import { Sentence } from './sentence';

interface Notice {
  id: number;
  text: string;
  kind: 'done' | 'wrong';
}

const shown_ms = 6_000;
const notices = signal<Notice[]>([]);
let next_id = 0;

function add(text: string, kind: Notice['kind']): void {
  const id = next_id++;
  // What is told again and again stands there once.
  notices.value = [...notices.value.filter((one) => one.text !== text || one.kind !== kind), { id, text, kind }];
  setTimeout(() => drop(id), shown_ms);
}

function drop(id: number): void {
  notices.value = notices.value.filter((one) => one.id !== id);
}

export const tell = (text: string): void => add(text, 'done');

/// Of whatever was thrown.
export const sentence_of = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const tell_error = (error: unknown): void => add(sentence_of(error), 'wrong');

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {notices.value.map(({ id, text, kind }) => (
        <div key={id} class={`toast ${kind}`}>
          <span>
            <Sentence text={text} />
          </span>
          <button type="button" class="plain" aria-label="Dismiss" onClick={() => drop(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
