// The table of machines: which rows, in which order. Pure.
import type { Peer } from '../../live/types';
import { condition_of, is_gone, path_word, shown_name } from './words';

export type Column = 'name' | 'role' | 'condition' | 'score' | 'rtt' | 'path' | 'models' | 'version';

export interface Order {
  column: Column;
  descending: boolean;
}

const text = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

const last = (descending: boolean): number => (descending ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);

function key_of(column: Column, descending: boolean): (peer: Peer) => string | number {
  switch (column) {
    case 'name':
      return shown_name;
    case 'role':
      return (peer) => peer.role;
    case 'condition':
      return condition_of;
    case 'score':
      return (peer) => peer.health?.score ?? last(descending);
    case 'rtt':
      return (peer) => (is_gone(peer) ? last(descending) : (peer.rtt_ms ?? last(descending)));
    case 'path':
      return (peer) => path_word(peer.path);
    case 'models':
      return (peer) => peer.models.length;
    case 'version':
      return (peer) => peer.version;
  }
}

/// Every word of the filter has to be somewhere in the row.
export function filter_rows(peers: readonly Peer[], filter: string): Peer[] {
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [...peers];
  return peers.filter((peer) => {
    const row = [peer.name, peer.node_id, peer.role, condition_of(peer), path_word(peer.path), peer.version, ...peer.models]
      .join(' ')
      .toLowerCase();
    return wanted.every((word) => row.includes(word));
  });
}

/// Rows whose value is not known come last either way; equal ones by name.
export function sort_rows(peers: readonly Peer[], { column, descending }: Order): Peer[] {
  const key = key_of(column, descending);
  const direction = descending ? -1 : 1;
  return peers
    .map((peer) => ({ peer, value: key(peer), name: shown_name(peer) }))
    .sort((a, b) => {
      const by_value =
        typeof a.value === 'number' && typeof b.value === 'number'
          ? a.value === b.value
            ? 0
            : a.value < b.value
              ? -1
              : 1
          : text.compare(String(a.value), String(b.value));
      return by_value * direction || text.compare(a.name, b.name);
    })
    .map(({ peer }) => peer);
}

/// The rows in an order that was made before; new ones at the end. So rows do not move away under a pointer.
export function keep_order(rows: readonly Peer[], order: readonly string[]): Peer[] {
  const by_id = new Map(rows.map((row) => [row.node_id, row]));
  const kept: Peer[] = [];
  for (const id of order) {
    const row = by_id.get(id);
    if (row) kept.push(row);
    by_id.delete(id);
  }
  return [...kept, ...by_id.values()];
}

/// Which rows are in sight, with some more above and below.
export function window_of(count: number, row_height: number, top: number, height: number, spare = 12): { from: number; to: number } {
  const from = Math.max(0, Math.min(count, Math.floor(top / row_height) - spare));
  const to = Math.min(count, Math.ceil((top + height) / row_height) + spare);
  return { from, to: Math.max(from, to) };
}
