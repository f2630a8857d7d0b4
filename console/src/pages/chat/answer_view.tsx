// An answer: its text as it comes, where it moved, how it ended, and who gave it how fast.
import { Check, Copy, RotateCcw } from 'lucide-preact';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import { ms } from '../../format';
import { name_of } from '../../live/live';
import { Markdown } from '../../markdown/markdown';
import { write_clipboard } from '../../ui/parts';
import { Sentence } from '../../ui/sentence';
import { tell_error } from '../../ui/toast';
import { again, go_on } from './ask';
import type { Answer, Moved } from './types';

interface Props {
  conversation_id: string;
  answer: Answer;
  is_last: boolean;
  busy: boolean;
}

function MovedMark({ mark }: { mark: Moved }) {
  return (
    <span class="moved" title={mark.cause ? `The machine before: ${mark.cause}` : undefined}>
      moved to {mark.name || name_of(mark.node_id)}
      {mark.cause && <span class="sr-only"> ({mark.cause})</span>}
    </span>
  );
}

const draw_mark = (mark: Moved) => <MovedMark mark={mark} />;

/// "attic · 41.2 tokens/s · first after 120 ms · 312 tokens"
export function facts_of(answer: Answer): string[] {
  const facts: string[] = [];
  if (answer.node_id) facts.push(answer.node_name || name_of(answer.node_id));
  if (answer.model) facts.push(answer.model);
  if (answer.tokens_per_s) facts.push(`${answer.tokens_per_s.toFixed(answer.tokens_per_s < 100 ? 1 : 0)} tokens/s`);
  if (answer.first_ms !== undefined) facts.push(`first after ${ms(answer.first_ms)}`);
  if (answer.tokens) facts.push(`${answer.tokens} ${answer.tokens === 1 ? 'token' : 'tokens'}`);
  return facts;
}

function CopyAnswer({ text }: { text: string }) {
  const [done, set_done] = useState(false);
  const copy = () =>
    write_clipboard(text).then(() => {
      set_done(true);
      setTimeout(() => set_done(false), 1_500);
    }, tell_error);
  const Icon = done ? Check : Copy;
  return (
    <button type="button" class="plain icon" aria-label={done ? 'Copied' : 'Copy the answer'} title="Copy" onClick={() => void copy()}>
      <Icon size={15} aria-hidden="true" />
    </button>
  );
}

function sentence_of({ error, state, ended_by_limit, text, thinking }: Answer): string {
  if (error) return error;
  if (state === 'stopped') return 'Stopped.';
  if (ended_by_limit) return 'The answer has reached its longest length.';
  return state === 'done' && !text && !thinking ? 'The model has answered with nothing.' : '';
}

function How({ conversation_id, answer, is_last, busy }: Props) {
  const unfinished = answer.state === 'cut' || answer.state === 'stopped' || answer.ended_by_limit;
  const sentence = sentence_of(answer);
  if (!sentence) return null;
  const wrong = answer.state === 'failed' || answer.state === 'cut';
  return (
    <div class={wrong ? 'how wrong' : 'how'}>
      <span>
        <Sentence text={sentence} />
      </span>
      {is_last && !busy && (
        <span class="row">
          {unfinished && answer.text && (
            <button type="button" class="outline small" onClick={() => void go_on(conversation_id)}>
              Continue
            </button>
          )}
          {wrong && (
            <button type="button" class="outline small" onClick={() => void again(conversation_id)}>
              Try again
            </button>
          )}
        </span>
      )}
    </div>
  );
}

function View(props: Props) {
  const { conversation_id, answer, is_last, busy } = props;
  const growing = answer.state === 'streaming';
  const facts = facts_of(answer);
  return (
    <article class="message answer" aria-label="Answer" aria-busy={growing}>
      <h2 class="sr-only">Answer</h2>
      {answer.thinking && (
        <details class="thinking">
          <summary>{growing && !answer.text ? 'Thinking…' : 'Thinking'}</summary>
          <div>{answer.thinking}</div>
        </details>
      )}
      {growing && !answer.text && !answer.thinking && (
        <div class="waiting" aria-hidden="true">
          <span />
          <span />
          <span />
        </div>
      )}
      {(answer.text || answer.moved.length > 0) && (
        <Markdown text={answer.text} growing={growing} marks={answer.moved} draw_mark={draw_mark} />
      )}
      <How {...props} />
      {!growing && answer.state !== 'failed' && (
        <footer>
          <small class="facts">
            {facts.map((fact) => (
              <span key={fact}>{fact}</span>
            ))}
          </small>
          <div class="actions">
            {answer.text && <CopyAnswer text={answer.text} />}
            {is_last && (
              <button type="button" class="plain icon" aria-label="Answer once more" title="Answer once more" disabled={busy} onClick={() => void again(conversation_id)}>
                <RotateCcw size={15} aria-hidden="true" />
              </button>
            )}
          </div>
        </footer>
      )}
    </article>
  );
}

export const AnswerView = memo(View);
