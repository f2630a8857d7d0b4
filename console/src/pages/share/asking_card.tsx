// What this machine itself asks: to be let into a mesh that it has found on the local network.
import { asking, may_change } from '../../live/live';
import type { OwnRequest } from '../../live/types';
import { use_action } from '../../ui/action';
import { tell } from '../../ui/toast';
import { confirm } from './actions';

function Question({ own }: { own: OwnRequest }) {
  const { busy, act } = use_action();
  const answer = (same: boolean) =>
    act(async () => {
      await confirm(own.code, same);
      if (!same) tell(`This computer does not join the mesh of ${own.member}.`);
    });
  const closed = busy || !may_change.value;
  return (
    <div class="request">
      <div>
        <p>
          Does the screen of {own.member} show this code? <span class="code">{own.code}</span>
        </p>
        {own.approved && <p class="muted">Somebody there has said yes.</p>}
      </div>
      <div class="request-actions">
        <button type="button" disabled={closed} onClick={() => void answer(true)}>
          Yes, join
        </button>
        <button type="button" class="outline danger" disabled={closed} onClick={() => void answer(false)}>
          No, another code or none
        </button>
      </div>
    </div>
  );
}

export function AskingCard() {
  const own = asking.value;
  if (!own) return null;
  return (
    <section class="card asking" aria-label="This computer asks to join">
      <header>
        <h2>This computer asks {own.member} to be let in</h2>
      </header>
      {own.confirmed ? (
        <div class="request">
          <p aria-live="polite">
            It joins as soon as somebody at {own.member} says yes, too. Their screen shows <span class="code">{own.code}</span>
          </p>
        </div>
      ) : (
        <Question own={own} />
      )}
    </section>
  );
}
