// What somebody sees who opened the link of an invite. The address is cleaned at once: an invite is to be used once, and
// not to stay in a browser's history.
import { useEffect, useState } from 'preact/hooks';
import { status } from '../../live/live';
import { place_parameter } from '../../ui/hash_place';
import { CopyField } from './copy_field';
import { type Role, clean_invite, invite_facts, join_command, until_words } from './invite_words';

/// The text after `join=`; null: the address had none.
export function use_join_link(): [string | null, () => void] {
  const [invite, set_invite] = useState<string | null>(null);
  useEffect(() => {
    const look = () => {
      const given = place_parameter('join');
      if (!given) return;
      history.replaceState(history.state, '', '#/share');
      set_invite(given);
    };
    look();
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, []);
  return [invite, () => set_invite(null)];
}

function Commands({ invite, roles }: { invite: string; roles: Role[] }) {
  return (
    <>
      {roles.map((role) => (
        <CopyField key={role} label={role === 'worker' ? 'To share its models too' : 'To only use models'} text={join_command(invite, role)} />
      ))}
    </>
  );
}

function Told({ text }: { text: string }) {
  const invite = clean_invite(text);
  const facts = invite_facts(invite);
  if (!invite || (invite.startsWith('starling:') && !facts)) {
    return <p>The link has no whole invite. Ask for it again, and copy it whole.</p>;
  }
  if (facts && facts.mesh_id === status.value?.mesh_id) return <p>This computer is in that mesh already. The invite is for another machine.</p>;
  if (facts && facts.expires_unix_s * 1000 < Date.now()) {
    return <p>The invite has expired ({until_words(facts.expires_unix_s)}). Ask for a new one.</p>;
  }
  return (
    <>
      <p>
        A Starling that runs can’t be moved into another mesh from here. On the machine that is to join, stop Starling, and start it with the command
        below. It remembers the mesh from then on.
      </p>
      <Commands invite={invite} roles={facts ? [facts.role] : ['worker', 'client']} />
      {facts && <p class="muted">Good for one machine, once, until {until_words(facts.expires_unix_s)}.</p>}
    </>
  );
}

export function JoinedByLink({ invite, onClose }: { invite: string; onClose: () => void }) {
  return (
    <section class="card by-link" aria-label="An invite">
      <header>
        <h2>You were invited to a mesh</h2>
        <button type="button" class="plain" aria-label="Dismiss the invite" onClick={onClose}>
          ×
        </button>
      </header>
      <Told text={invite} />
    </section>
  );
}
