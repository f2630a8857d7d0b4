// Writes an invite, and shows it in each way in which people carry one to another machine.
import { useState } from 'preact/hooks';
import { use_action } from '../../ui/action';
import { Dialog } from '../../ui/dialog';
import { Sentence } from '../../ui/sentence';
import { sentence_of } from '../../ui/toast';
import { type WrittenInvite, write_invite } from './actions';
import { CopyField } from './copy_field';
import { type Role, invite_link, join_command, until_words } from './invite_words';
import { QrCode } from './qr_code';

const spans = [
  { seconds: 3_600, label: '1 hour' },
  { seconds: 86_400, label: '1 day' },
  { seconds: 7 * 86_400, label: '7 days' },
] as const;

function Written({ written }: { written: WrittenInvite }) {
  const { invite, role } = written;
  return (
    <div class="invite">
      {written.this_machine_only && (
        <p class="warning" role="alert">
          <strong>This invite works on this machine alone,</strong> because no other can connect to it. Close this, turn on “Let others use this
          computer’s models”, and make a new one.
        </p>
      )}
      <p>
        Good for one machine, once, until {until_words(written.expires_unix_s)}. Whoever has it can use it, so send it as you would send a password.
      </p>
      <CopyField label="Run on the other machine" text={join_command(invite, role)} />
      <CopyField label="The invite alone" text={invite} />
      <CopyField
        label="As a link"
        text={invite_link(invite, location)}
        hint="It opens this console’s address, and the page says there what to do. The invite in it is sent to no server."
      />
      <figure>
        <QrCode text={invite} label="The invite as a QR code" />
        <figcaption class="muted">The invite, for a camera</figcaption>
      </figure>
    </div>
  );
}

function Wish({ onWritten }: { onWritten: (written: WrittenInvite) => void }) {
  const [role, set_role] = useState<Role>('worker');
  const [span, set_span] = useState<number>(86_400);
  const [wrong, set_wrong] = useState('');
  const { busy, act } = use_action((error) => set_wrong(sentence_of(error)));
  const write = async (event: Event) => {
    event.preventDefault();
    set_wrong('');
    await act(async () => onWritten(await write_invite(role, span)));
  };
  return (
    <form onSubmit={(event) => void write(event)}>
      <fieldset class="who">
        <legend>What the machine is for</legend>
        <label>
          <input type="radio" name="role" checked={role === 'worker'} onChange={() => set_role('worker')} />
          <span>
            It shares its models too
            <small>It answers for the others, and can hold parts of large models.</small>
          </span>
        </label>
        <label>
          <input type="radio" name="role" checked={role === 'client'} onChange={() => set_role('client')} />
          <span>
            It only uses models
            <small>It asks, and the others answer.</small>
          </span>
        </label>
      </fieldset>
      <label>
        Valid for
        <select value={String(span)} onChange={(event) => set_span(Number(event.currentTarget.value))}>
          {spans.map(({ seconds, label }) => (
            <option key={seconds} value={String(seconds)}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <p class="wrong" role="alert">
        <Sentence text={wrong} />
      </p>
      <button type="submit" disabled={busy} aria-busy={busy}>
        Make an invite
      </button>
    </form>
  );
}

/// One that comes after it was closed is not shown to whoever opens it next.
function Invite() {
  const [written, set_written] = useState<WrittenInvite | null>(null);
  return written ? <Written written={written} /> : <Wish onWritten={set_written} />;
}

export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} title="Invite a machine" onClose={onClose}>
      <Invite />
    </Dialog>
  );
}
