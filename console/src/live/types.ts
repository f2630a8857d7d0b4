// What the node tells: the rows of /api/events and of the endpoints that give the same. docs/api.md describes each field.

export interface Health {
  score: number; // 0 … 100
  state: 'healthy' | 'busy' | 'overloaded';
  cpu: number; // percent in use
  memory: number; // percent in use
  queue: number; // percent free
}

export type Here = 'ready' | 'loading' | 'standby' | 'waiting' | 'failed' | 'on_disk' | 'none';

export interface StatusModel {
  id: string;
  state: string;
  source: string;
  progress: number;
  requests: number;
  request_rate_per_min: number;
  last_active_s: number | null;
  failure?: string;
}

export interface Decision {
  request_id: string;
  model: string;
  node_id: string;
  reason: string;
  cause?: string;
  resumed_at?: number;
}

export interface Status {
  node_id: string;
  name: string;
  version: string;
  mesh_id: string | null;
  removed?: string; // why the others do not take this node any more
  role: string;
  health: Health;
  models: StatusModel[];
  engine: { slots: number; busy: number; queued: number; tokens_per_s: number };
  uptime_s: number;
  peers?: { alive: number; known: number };
  routing?: { here: number; to_peers: number; moved_on: number; resumed: number; lost: number; recent: Decision[] };
  demand?: { model: string; requests: number; request_rate_per_min: number; last_active_s: number }[];
}

export type PeerState = 'alive' | 'suspect' | 'dead' | 'left';

export interface Peer {
  node_id: string;
  name: string;
  role: string;
  state: PeerState;
  rtt_ms: number | null;
  path: 'direct' | 'relay' | 'local';
  health: Health | null;
  models: string[];
  version: string;
}

export interface Stage {
  node_id: string;
  name: string;
  first_layer: number | null;
  last_layer: number | null;
  memory_bytes: number | null;
  ms_per_token: number | null;
  state: 'loading' | 'ready' | 'lost';
}

export interface Deployment {
  model: string;
  coordinator: string;
  epoch: number;
  state: 'forming' | 'serving' | 'repairing' | 'starved' | 'leaving';
  stages: Stage[];
  reason: string;
}

export interface ModelRow {
  id: string;
  here: Here;
  source: string;
  size_bytes: number | null;
  context_length: number | null;
  progress: number;
  requests: number;
  request_rate_per_min: number;
  last_active_s: number | null;
  failure?: string;
  nodes: number;
  can_load: boolean;
  can_unload: boolean;
}

export interface Sharing {
  in_mesh: boolean;
  sharing: boolean;
  reachable: boolean;
  listens: string;
  who: 'invite' | 'invite_or_ask';
  may_invite: boolean;
  memory_bytes: number;
  memory_total_bytes: number;
  fixed: string[];
  restarting?: boolean;
}

export interface JoinRequest {
  code: string;
  name: string;
  node_id: string;
  since_s: number;
}

/// What this machine itself asks of a member on the local network.
export interface OwnRequest {
  code: string;
  member: string;
  member_id: string;
  mesh_id: string;
  approved: boolean; // there
  confirmed: boolean; // here
}

export interface LogLine {
  seq: number;
  time: string;
  level: 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'critical';
  message: string;
}

export interface Hello {
  version: string;
  node_id: string;
  name: string;
  may_change: boolean;
}

export interface Plan {
  model: string;
  tokens_per_s: number;
  total_tokens_per_s: number;
  reason: string;
  table: string;
  stages: {
    node_id: string;
    name: string;
    first_layer: number;
    last_layer: number;
    memory_bytes: number;
    ms_per_token: number;
  }[];
}

export interface About {
  version: string;
  versions: { name: string; version: string }[];
  platform: string;
  data_dir: string;
  started_unix_s: number;
  listens: { what: string; protocol: string; address: string; who: string }[];
  contacts: { host: string; why: string; when: string }[];
}

export interface History {
  node_id: string;
  interval_s: number;
  samples: [unix_s: number, cpu: number, memory: number, queue: number, score: number, rtt_ms: number | null][];
}

/// One event of /api/events, by its name.
export type LiveEvent =
  | { event: 'hello'; data: Hello }
  | { event: 'status'; data: Status }
  | { event: 'peers'; data: { set: Peer[]; gone: string[] } }
  | { event: 'deployments'; data: Deployment[] }
  | { event: 'models'; data: ModelRow[] }
  | { event: 'sharing'; data: Sharing }
  | { event: 'requests'; data: JoinRequest[] }
  | { event: 'asking'; data: { asking: OwnRequest | null } }
  | { event: 'log'; data: { lines: LogLine[] } };
