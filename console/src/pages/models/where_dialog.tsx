// Asks the node's planner where a model would go. Nothing is loaded for it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, post } from '../../api/client';
import { PlanPicture } from '../../chains/plan_picture';
import { peers, sharing } from '../../live/live';
import type { ModelRow, Plan } from '../../live/types';
import { Dialog } from '../../ui/dialog';
import { Sentence } from '../../ui/sentence';
import { sentence_of } from '../../ui/toast';
import { reference_of } from './model_words';

const most_machines = 16; // of one model, as the node has it

type Answer = { kind: 'asking' } | { kind: 'plan'; plan: Plan } | { kind: 'refused'; message: string; no_place: boolean };

interface Wish {
  split: string;
  ctx: string;
}

export function plan_question(model: string, { split, ctx }: Wish): Record<string, unknown> {
  return { model, ...(split ? { split: /^\d+$/.test(split) ? Number(split) : split } : {}), ...(Number(ctx) > 0 ? { ctx: Number(ctx) } : {}) };
}

function rate(tokens_per_s: number): string {
  return tokens_per_s >= 100 ? String(Math.round(tokens_per_s)) : tokens_per_s.toFixed(1);
}

function Told({ answer }: { answer: Answer }) {
  if (answer.kind === 'asking') return <p aria-busy="true">The node works it out.</p>;
  if (answer.kind === 'refused') {
    return (
      <div class="plan-refused">
        <strong>{answer.no_place ? 'It can’t be placed now' : 'The node can’t say'}</strong>
        <p>
          <Sentence text={answer.message} />
        </p>
      </div>
    );
  }
  const { plan } = answer;
  return (
    <>
      <p>
        <Sentence text={plan.reason} />
      </p>
      <PlanPicture plan={plan} />
      <p class="muted">
        About {rate(plan.tokens_per_s)} tokens per second for one answer, {rate(plan.total_tokens_per_s)} for all answers at the same time.
      </p>
    </>
  );
}

function Options({ busy, onAsk }: { busy: boolean; onAsk: (wish: Wish) => void }) {
  const [split, set_split] = useState('');
  const [ctx, set_ctx] = useState('');
  const machines = Math.max(2, Math.min(most_machines, peers.value.size));
  return (
    <details>
      <summary>Under other conditions</summary>
      <form
        class="plan-options"
        onSubmit={(event) => {
          event.preventDefault();
          onAsk({ split, ctx });
        }}
      >
        <label>
          Machines
          <select value={split} onChange={(event) => set_split(event.currentTarget.value)}>
            <option value="">As started</option>
            <option value="auto">As many as needed</option>
            <option value="never">Only one</option>
            {Array.from({ length: machines - 1 }, (_, index) => (
              <option key={index} value={String(index + 2)}>
                Exactly {index + 2}
              </option>
            ))}
          </select>
        </label>
        <label>
          Context, tokens
          <input
            type="number"
            min={0}
            max={16_777_216}
            step={1}
            inputMode="numeric"
            placeholder="as started"
            value={ctx}
            onInput={(event) => set_ctx(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="outline" disabled={busy}>
          Ask again
        </button>
      </form>
    </details>
  );
}

export function WhereDialog({ model, onClose }: { model: ModelRow | null; onClose: () => void }) {
  const [answer, set_answer] = useState<Answer>({ kind: 'asking' });
  const asked = useRef<AbortController | null>(null);
  const reference = model ? reference_of(model) : '';
  const ask = async (wish: Wish) => {
    asked.current?.abort();
    const mine = new AbortController();
    asked.current = mine;
    set_answer({ kind: 'asking' });
    try {
      set_answer({ kind: 'plan', plan: await post<Plan>('/api/plan', plan_question(reference, wish), mine.signal) });
    } catch (error) {
      if (mine.signal.aborted) return;
      const message = sentence_of(error);
      set_answer({ kind: 'refused', message, no_place: error instanceof ApiError && error.status === 503 && sharing.value?.in_mesh === true });
    }
  };
  useEffect(() => {
    if (reference) void ask({ split: '', ctx: '' });
    return () => asked.current?.abort();
  }, [reference]);
  return (
    <Dialog open={model !== null} title={`Where would ${model?.id ?? ''} go?`} onClose={onClose}>
      <div class="plan" aria-live="polite">
        <Told answer={answer} />
      </div>
      <Options busy={answer.kind === 'asking'} onAsk={(wish) => void ask(wish)} />
    </Dialog>
  );
}
