// The node as this page knows it. `apply` is pure: (state, event) → state; parts that an event does not touch stay the
// same objects, so that what shows them need not be drawn again.
import type { Deployment, Hello, JoinRequest, LiveEvent, LogLine, ModelRow, OwnRequest, Peer, Sharing, Status } from './types';

export interface LiveState {
  hello: Hello | null;
  status: Status | null;
  peers: ReadonlyMap<string, Peer>; // this node first
  deployments: readonly Deployment[];
  models: readonly ModelRow[];
  sharing: Sharing | null;
  requests: readonly JoinRequest[];
  asking: OwnRequest | null;
  log: readonly LogLine[];
}

export const max_log_lines = 2_000; // as many as the node keeps

export const nothing_yet: LiveState = {
  hello: null,
  status: null,
  peers: new Map(),
  deployments: [],
  models: [],
  sharing: null,
  requests: [],
  asking: null,
  log: [],
};

function merge_peers(before: ReadonlyMap<string, Peer>, set: Peer[], gone: string[]): ReadonlyMap<string, Peer> {
  const after = new Map(before);
  for (const id of gone) after.delete(id);
  for (const peer of set) after.set(peer.node_id, peer);
  return after;
}

export function apply(state: LiveState, { event, data }: LiveEvent): LiveState {
  switch (event) {
    case 'hello':
      // A new stream tells everything again; what it does not tell any more is gone.
      return { ...state, hello: data, peers: new Map(), requests: [], asking: null, log: [] };
    case 'peers':
      return { ...state, peers: merge_peers(state.peers, data.set, data.gone) };
    case 'log': {
      const last = state.log.at(-1)?.seq ?? -1;
      const fresh = data.lines.filter((line) => line.seq > last);
      return fresh.length === 0 ? state : { ...state, log: [...state.log, ...fresh].slice(-max_log_lines) };
    }
    case 'status':
      return { ...state, status: data };
    case 'deployments':
      return { ...state, deployments: data };
    case 'models':
      return { ...state, models: data };
    case 'sharing':
      return { ...state, sharing: data };
    case 'requests':
      return { ...state, requests: data };
    case 'asking':
      return { ...state, asking: data.asking };
    default:
      return state; // of a newer node
  }
}
