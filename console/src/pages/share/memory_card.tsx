// How much of this machine's memory models may take.
import { useRef, useState } from 'preact/hooks';
import { may_change } from '../../live/live';
import { restarting } from '../../live/restart';
import type { Sharing } from '../../live/types';
import { Card } from '../../ui/parts';
import { tell_error } from '../../ui/toast';
import { change_sharing } from './actions';
import { fixed_words, memory_step, memory_words } from './sharing_words';

export function MemoryCard({ sharing }: { sharing: Sharing }) {
  const [held, set_held] = useState<number | null>(null); // while the hand, or the request, is not done
  const total = sharing.memory_total_bytes;
  const lent = held ?? sharing.memory_bytes;
  const fixed = sharing.fixed.includes('memory');
  const step = memory_step(total);
  const words = memory_words(lent, total);
  const newest = useRef(lent); // wish
  const asked = useRef(Promise.resolve());
  const hold = (memory_bytes: number) => {
    newest.current = memory_bytes;
    set_held(memory_bytes);
  };
  /// One request after the other, and of those that wait only the newest: a key that is held down wishes much.
  const lend = (memory_bytes: number) => {
    hold(memory_bytes);
    asked.current = asked.current.then(async () => {
      if (newest.current !== memory_bytes) return;
      await change_sharing({ memory_bytes }).catch(tell_error);
      if (newest.current === memory_bytes) set_held(null);
    });
  };
  const bytes_at = (input: HTMLInputElement) => Math.min(Number(input.value), total);
  return (
    <Card title="Memory for models">
      <div class="lend">
        <input
          type="range"
          aria-label="Memory for models"
          aria-valuetext={words}
          min={step}
          max={Math.ceil(total / step) * step}
          step={step}
          value={lent}
          disabled={fixed || !may_change.value || restarting.value}
          onInput={(event) => hold(bytes_at(event.currentTarget))}
          // Of plain onChange preact/compat makes onInput; this one comes when the hand lets go.
          onChangeCapture={(event) => lend(bytes_at(event.currentTarget))}
        />
        <span aria-hidden="true">{words}</span>
      </div>
      <p class="muted">
        {fixed ? fixed_words('memory') : 'Models of this machine and parts of the mesh’s models take at most this. The rest stays with your other programs.'}
      </p>
    </Card>
  );
}
