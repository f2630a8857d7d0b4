// What the mesh page says about machines, in words. Pure.
import { ms, plural, short_id } from '../../format';
import type { Deployment, Health, Peer } from '../../live/types';
import type { Tone } from '../../ui/parts';

export type Condition = 'healthy' | 'busy' | 'overloaded' | 'no report' | 'not answering' | 'lost' | 'left';

/// How a machine is, of what the membership and its own health report say.
export function condition_of({ state, health }: Peer): Condition {
  if (state === 'dead') return 'lost';
  if (state === 'left') return 'left';
  if (state === 'suspect') return 'not answering';
  return health?.state ?? 'no report';
}

const tones: Record<Condition, Tone> = {
  healthy: 'good',
  busy: 'warm',
  overloaded: 'bad',
  'no report': 'quiet',
  'not answering': 'warm',
  lost: 'bad',
  left: 'quiet',
};

export const tone_of = (condition: Condition): Tone => tones[condition] ?? 'quiet'; // of a newer node

export const is_gone = ({ state }: Peer): boolean => state === 'dead' || state === 'left';

export const shown_name = (peer: Peer): string => peer.name || short_id(peer.node_id);

export const path_word = (path: Peer['path']): string =>
  path === 'local' ? 'this machine' : path === 'relay' ? 'through a relay' : path;

/// A model that is cut over several machines, or is about to be.
export const is_split = ({ stages }: Deployment): boolean => stages.length > 1;

/// "8 machines, 2 models split".
export function mesh_summary(peers: Iterable<Peer>, deployments: readonly Deployment[]): string {
  let here = 0;
  let gone = 0;
  for (const peer of peers) {
    if (is_gone(peer)) gone += 1;
    else here += 1;
  }
  const split = deployments.filter(is_split).length;
  return [
    plural(here, 'machine'),
    ...(gone > 0 ? [`${gone} lost`] : []),
    ...(split > 0 ? [`${plural(split, 'model')} split`] : []),
  ].join(', ');
}

/// "attic, worker, healthy, 12 ms, direct, serves starter".
export function machine_sentence(peer: Peer): string {
  return [
    shown_name(peer),
    ...(peer.path === 'local' ? ['this machine'] : []),
    peer.role,
    condition_of(peer),
    ...(peer.path !== 'local' && !is_gone(peer) ? [peer.rtt_ms == null ? 'round trip not known' : ms(peer.rtt_ms), path_word(peer.path)] : []),
    peer.models.length > 0 ? `serves ${peer.models.join(' and ')}` : 'serves nothing',
  ].join(', ');
}

const deployment_words: Record<Deployment['state'], { word: string; tone: Tone }> = {
  forming: { word: 'coming together', tone: 'accent' },
  serving: { word: 'serving', tone: 'good' },
  repairing: { word: 'being repaired', tone: 'warm' },
  starved: { word: 'does not fit', tone: 'bad' },
  leaving: { word: 'going', tone: 'quiet' },
};

export const deployment_word = (state: Deployment['state']) => deployment_words[state] ?? { word: String(state), tone: 'quiet' as const }; // of a newer node

/// How the score is made up: what is free of each counts, the queue half as much as the others.
export function health_parts({ cpu, memory, queue }: Health): { label: string; percent: number; points: number; of: number }[] {
  return [
    { label: 'Processor in use', percent: cpu, points: (100 - cpu) * 0.4, of: 40 },
    { label: 'Memory in use', percent: memory, points: (100 - memory) * 0.4, of: 40 },
    { label: 'Queue in use', percent: 100 - queue, points: queue * 0.2, of: 20 },
  ];
}

export function health_sentence(health: Health): string {
  const [most] = health_parts(health).sort((a, b) => a.points / a.of - b.points / b.of);
  const what = most?.label.replace(' in use', '').toLowerCase() ?? '';
  switch (health.state) {
    case 'healthy':
      return 'There is room for more work.';
    case 'busy':
      return `It works, but others are asked first; its ${what} is what is used most.`;
    case 'overloaded':
      return `It takes no work that others can do; its ${what} is what is used most.`;
  }
}
