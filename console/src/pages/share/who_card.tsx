import { useState } from 'preact/hooks';
import { may_change } from '../../live/live';
import { restarting } from '../../live/restart';
import type { Sharing } from '../../live/types';
import { use_action } from '../../ui/action';
import { change_sharing } from './actions';
import { fixed_words } from './sharing_words';

const choices = [
  { who: 'invite', label: 'Only with an invite', hint: 'This computer stays silent on the local network.' },
  {
    who: 'invite_or_ask',
    label: 'Machines on the local network may ask, and I decide',
    hint: 'This computer tells the local network its name, so that others find it.',
  },
] as const;

export function WhoCard({ sharing }: { sharing: Sharing }) {
  const [wanted, set_wanted] = useState<Sharing['who'] | null>(null); // until the node has said yes or no
  const { busy, act } = use_action();
  const fixed = sharing.fixed.includes('who');
  const choose = async (who: Sharing['who']) => {
    set_wanted(who);
    await act(() => change_sharing({ who }));
    set_wanted(null);
  };
  return (
    <section class="card">
      <fieldset class="who" disabled={fixed || busy || !may_change.value || restarting.value}>
        <legend>Who can join</legend>
        {choices.map(({ who, label, hint }) => (
          <label key={who}>
            <input type="radio" name="who" checked={(wanted ?? sharing.who) === who} onChange={() => void choose(who)} />
            <span>
              {label}
              <small>{hint}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <p class="muted">{fixed ? fixed_words('who') : 'Starling restarts itself for a few seconds when this changes.'}</p>
    </section>
  );
}
