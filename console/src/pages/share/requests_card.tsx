// Machines on the local network that ask to be let in. The two screens are compared by a person.
import { useState } from 'preact/hooks';
import { ago, short_id } from '../../format';
import { may_change, requests } from '../../live/live';
import type { JoinRequest } from '../../live/types';
import { use_action } from '../../ui/action';
import { tell } from '../../ui/toast';
import { decide } from './actions';
import type { Role } from './invite_words';

function Request({ request }: { request: JoinRequest }) {
  const [role, set_role] = useState<Role>('worker');
  const { busy, act } = use_action();
  const answer = (approve: boolean) =>
    act(async () => {
      await decide(request.code, approve, role);
      tell(approve ? `${request.name} is let in as soon as somebody there says yes, too.` : `${request.name} was refused.`);
    });
  const closed = busy || !may_change.value;
  return (
    <li class="request">
      <div>
        <strong>{request.name}</strong>
        <span class="muted">
          {' '}
          <code>{short_id(request.node_id)}</code> asked {ago(request.since_s)}
        </span>
        <p>
          Does its screen show this code? <span class="code">{request.code}</span>
        </p>
      </div>
      <div class="request-actions">
        <label>
          <span class="sr-only">What {request.name} is for</span>
          <select value={role} disabled={closed} onChange={(event) => set_role(event.currentTarget.value as Role)}>
            <option value="worker">It shares its models too</option>
            <option value="client">It only uses models</option>
          </select>
        </label>
        <button type="button" disabled={closed} onClick={() => void answer(true)}>
          Yes, let it in
        </button>
        <button type="button" class="outline danger" disabled={closed} onClick={() => void answer(false)}>
          Refuse
        </button>
      </div>
    </li>
  );
}

export function RequestsCard() {
  if (requests.value.length === 0) return null;
  return (
    <section class="card asking" aria-label="Requests to join">
      <header>
        <h2>{requests.value.length === 1 ? 'A machine asks to join' : `${requests.value.length} machines ask to join`}</h2>
      </header>
      <ul>
        {requests.value.map((request) => (
          <Request key={request.code} request={request} />
        ))}
      </ul>
    </section>
  );
}
