import { UserPlus } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { may_change, sharing, status } from '../../live/live';
import { restarting } from '../../live/restart';
import type { Sharing } from '../../live/types';
import { PageHead } from '../../ui/parts';
import { ReadOnlyLine } from '../../ui/read_only';
import { RemovedLine } from '../../ui/removed_line';
import { AskingCard } from './asking_card';
import { InviteDialog } from './invite_dialog';
import { JoinedByLink, use_join_link } from './joined_by_link';
import { MemoryCard } from './memory_card';
import { MembersCard } from './members_card';
import { RequestsCard } from './requests_card';
import './share.css';
import { SwitchCard } from './switch_card';
import { WhoCard } from './who_card';

function InviteCard({ now }: { now: Sharing }) {
  const [inviting, set_inviting] = useState(false);
  return (
    <section class="card invite-card">
      <div>
        <h2>Bring in another machine</h2>
        <p class="muted">
          {now.may_invite
            ? 'An invite lets one machine in, once, and expires.'
            : 'This machine may not invite others. The one that began the mesh may, and those it gave the right to.'}
        </p>
      </div>
      <button type="button" class="with-icon" disabled={!now.may_invite || !may_change.value || restarting.value} onClick={() => set_inviting(true)}>
        <UserPlus size={18} aria-hidden="true" /> Invite a machine
      </button>
      <InviteDialog open={inviting} onClose={() => set_inviting(false)} />
    </section>
  );
}

export function SharePage() {
  const [invite, dismiss] = use_join_link();
  const told = sharing.value;
  const now = told && status.value?.removed ? { ...told, in_mesh: false } : told;
  return (
    <div class="share">
      <PageHead title="Share this computer" lead="The machines of a mesh answer for each other. You decide what this one gives." />
      <ReadOnlyLine />
      <RemovedLine />
      {invite !== null && <JoinedByLink invite={invite} onClose={dismiss} />}
      <AskingCard />
      <RequestsCard />
      {!now && <div class="loading" aria-busy="true" />}
      {now && <SwitchCard sharing={now} />}
      {now?.in_mesh && (
        <>
          <InviteCard now={now} />
          {status.value?.role !== 'client' && <MemoryCard sharing={now} />}
          <WhoCard sharing={now} />
          <MembersCard sharing={now} />
        </>
      )}
    </div>
  );
}
