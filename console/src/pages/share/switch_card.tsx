// The one switch of the first screen.
import { useState } from 'preact/hooks';
import { may_change, status } from '../../live/live';
import { restarting } from '../../live/restart';
import type { Sharing } from '../../live/types';
import { use_action } from '../../ui/action';
import { Dialog } from '../../ui/dialog';
import { Badge, Switch, type Tone } from '../../ui/parts';
import { Sentence } from '../../ui/sentence';
import { change_sharing } from './actions';
import { restarts_to_share, sharing_words, wish_to_share } from './sharing_words';

function tone_of(sharing: Sharing): Tone {
  if (restarting.value) return 'accent';
  if (!sharing.in_mesh || !sharing.sharing) return 'quiet';
  return sharing.reachable ? 'good' : 'warm';
}

export function SwitchCard({ sharing }: { sharing: Sharing }) {
  const [asking, set_asking] = useState(false);
  const { busy, act } = use_action();
  const change = (on: boolean) => {
    set_asking(false);
    void act(() => change_sharing(on ? wish_to_share(sharing) : { sharing: false }));
  };
  const is_client = status.value?.role === 'client';
  const words = sharing_words(sharing, restarting.value, is_client);
  const closed = !may_change.value || busy || restarting.value || !sharing.in_mesh || is_client;
  return (
    <section class="card share-switch">
      <Switch
        label="Let others use this computer’s models"
        checked={sharing.sharing && sharing.in_mesh}
        disabled={closed}
        onChange={(on) => (on && restarts_to_share(sharing) ? set_asking(true) : change(on))}
      />
      <p aria-live="polite">
        <Badge tone={tone_of(sharing)}>{words.state}</Badge> <Sentence text={words.text} />
      </p>
      {sharing.in_mesh && sharing.sharing && restarts_to_share(sharing) && !restarting.value && (
        <button type="button" class="outline small" disabled={closed} onClick={() => set_asking(true)}>
          Let other machines connect
        </button>
      )}
      <Dialog
        open={asking}
        title="Let other machines connect?"
        onClose={() => set_asking(false)}
        actions={
          <>
            <button type="button" class="outline secondary" onClick={() => set_asking(false)}>
              Not now
            </button>
            <button type="button" onClick={() => change(true)}>
              Share
            </button>
          </>
        }
      >
        <p>Starling restarts itself for a few seconds, and then machines with an invite can use the models here; a machine without one gets nothing.</p>
      </Dialog>
    </section>
  );
}
