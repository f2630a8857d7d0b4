import { useState } from 'preact/hooks';
import { plural, short_id } from '../../format';
import { hello, may_change, peers } from '../../live/live';
import type { Peer, Sharing } from '../../live/types';
import { Dialog } from '../../ui/dialog';
import { Badge } from '../../ui/parts';
import { tell, tell_error } from '../../ui/toast';
import { revoke } from './actions';
import { member_facts, member_state, members_of } from './members';

const shown_at_first = 50;
const filter_from = 12; // fewer are seen at a glance

function Member({ peer, onRemove }: { peer: Peer; onRemove: ((peer: Peer) => void) | null }) {
  const state = member_state(peer);
  return (
    <li class="member">
      <div>
        <strong>{peer.name}</strong> <code>{short_id(peer.node_id)}</code>
        <small class="muted">
          {member_facts(peer).map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </small>
      </div>
      <Badge tone={state.tone}>{state.text}</Badge>
      {onRemove && (
        <button type="button" class="plain small" onClick={() => onRemove(peer)}>
          Remove<span class="sr-only"> {peer.name}</span>
        </button>
      )}
    </li>
  );
}

function RemoveDialog({ peer, onClose }: { peer: Peer | null; onClose: () => void }) {
  const remove = async () => {
    onClose();
    if (!peer) return;
    try {
      await revoke(peer.node_id);
      tell(`${peer.name} is out.`);
    } catch (error) {
      tell_error(error);
    }
  };
  return (
    <Dialog
      open={peer !== null}
      title={`Remove ${peer?.name ?? ''}?`}
      onClose={onClose}
      actions={
        <>
          <button type="button" class="outline secondary" onClick={onClose}>
            Keep it
          </button>
          <button type="button" class="danger" onClick={() => void remove()}>
            Remove
          </button>
        </>
      }
    >
      <p>It is shut out at once, by every machine of the mesh. To come back it needs a new invite.</p>
    </Dialog>
  );
}

export function MembersCard({ sharing }: { sharing: Sharing }) {
  const [filter, set_filter] = useState('');
  const [shown, set_shown] = useState(shown_at_first);
  const [leaving, set_leaving] = useState<Peer | null>(null);
  const self = hello.value?.node_id ?? '';
  const members = members_of(peers.value.values(), self, filter);
  const others = Math.max(0, peers.value.size - (peers.value.has(self) ? 1 : 0));
  const may_remove = may_change.value && sharing.may_invite;
  return (
    <section class="card" aria-label="Members">
      <header>
        <h2>
          Members <span class="muted">{others}</span>
        </h2>
        {others > filter_from && (
          <input
            type="search"
            class="small-search"
            aria-label="Find a member"
            placeholder="Find"
            value={filter}
            onInput={(event) => set_filter(event.currentTarget.value)}
          />
        )}
      </header>
      {others === 0 && <p class="muted">No other machine is in the mesh yet. Invite one, and it appears here.</p>}
      {others > 0 && !may_remove && may_change.value && (
        <p class="muted">This machine may not remove others. The one that began the mesh may, and those it gave the right to.</p>
      )}
      <ul class={may_remove ? 'members removable' : 'members'}>
        {members.slice(0, shown).map((peer) => (
          <Member key={peer.node_id} peer={peer} onRemove={may_remove && peer.state !== 'left' ? set_leaving : null} />
        ))}
      </ul>
      {members.length > shown && (
        <button type="button" class="plain" onClick={() => set_shown(shown + 200)}>
          Show more; {plural(members.length - shown, 'machine')} not shown
        </button>
      )}
      <RemoveDialog peer={leaving} onClose={() => set_leaving(null)} />
    </section>
  );
}
