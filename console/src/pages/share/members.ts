// Who is in the mesh beside this machine, in words. Pure.
import { ms } from '../../format';
import type { Peer } from '../../live/types';
import type { Tone } from '../../ui/parts';

const by_state: Peer['state'][] = ['alive', 'suspect', 'dead', 'left'];

export function members_of(peers: Iterable<Peer>, self: string, filter: string): Peer[] {
  const wanted = filter.trim().toLowerCase();
  return [...peers]
    .filter((one) => one.node_id !== self)
    .filter((one) => wanted === '' || one.name.toLowerCase().includes(wanted) || one.node_id.startsWith(wanted))
    .sort((a, b) => by_state.indexOf(a.state) - by_state.indexOf(b.state) || a.name.localeCompare(b.name));
}

export function member_state(peer: Peer): { text: string; tone: Tone } {
  switch (peer.state) {
    case 'alive':
      return { text: 'Connected', tone: 'good' };
    case 'suspect':
      return { text: 'Silent', tone: 'warm' };
    case 'dead':
      return { text: 'Lost', tone: 'bad' };
    case 'left':
      return { text: 'Away', tone: 'quiet' };
    default:
      return { text: String(peer.state), tone: 'quiet' }; // of a newer node
  }
}

export function member_facts(peer: Peer): string[] {
  const role = peer.role === 'client' ? 'only uses models' : 'shares its models';
  return peer.state === 'alive' && peer.rtt_ms != null ? [role, `${ms(peer.rtt_ms)} away`] : [role];
}
