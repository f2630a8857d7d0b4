// The picture in words: a link for each machine, not seen but heard, and reached by Tab. The one with the focus is ringed
// in the picture.
import { Link } from 'wouter-preact';
import { peers } from '../../../live/live';
import { machine_sentence } from '../words';

const most = 200; // more are better looked through in the table

export function MachineList({ on_focus, use_table }: { on_focus: (node_id: string) => void; use_table: () => void }) {
  const rows = [...peers.value.values()];
  if (rows.length > most) {
    return (
      <p class="sr-only">
        {rows.length} machines are too many for a list. <button onClick={use_table}>Use the table</button>
      </p>
    );
  }
  return (
    <ul class="sr-only" aria-label="Machines">
      {rows.map((peer) => (
        <li key={peer.node_id}>
          <Link href={`/mesh/${peer.node_id}`} onFocus={() => on_focus(peer.node_id)} onBlur={() => on_focus('')}>
            {machine_sentence(peer)}
          </Link>
        </li>
      ))}
    </ul>
  );
}
