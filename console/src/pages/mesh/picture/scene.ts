// What is to be drawn, of what the node has told. Pure but for where things stand, which each frame works out anew.
import { ms } from '../../../format';
import type { Deployment, Peer } from '../../../live/types';
import { type Condition, condition_of, is_gone, is_split, shown_name, tone_of } from '../words';
import type { Place } from './layout';
import type { View } from './view';

export type DiscTone = 'good' | 'warm' | 'bad' | 'quiet';

export interface Disc {
  id: string;
  name: string;
  note: string; // what is wrong, or what is special
  rtt: string;
  tone: DiscTone;
  share: number; // of the ring, by the health score
  self: boolean;
  client: boolean;
  gone: boolean;
  relay: boolean;
  chained: boolean;
  // on the canvas
  x: number;
  y: number;
  r: number;
  seen: boolean;
}

export interface ChainLine {
  model: string;
  colour: number; // --chain-N
  moving: boolean; // forming or repairing
  through: Disc[];
}

export interface Scene {
  discs: Disc[]; // this machine first
  chains: ChainLine[];
}

/// So many that the picture shows less of each.
export const is_crowd = (discs: number): boolean => discs > 100;

const told: readonly Condition[] = ['overloaded', 'not answering', 'lost', 'left'];

function disc_of(peer: Peer, self_id: string): Disc {
  const condition = condition_of(peer);
  const self = peer.node_id === self_id;
  const tone = tone_of(condition);
  return {
    id: peer.node_id,
    name: shown_name(peer),
    note: told.includes(condition) ? condition : self ? 'this machine' : '',
    rtt: peer.rtt_ms == null || self ? '' : ms(peer.rtt_ms),
    tone: is_gone(peer) || tone === 'accent' ? 'quiet' : tone,
    share: (peer.health?.score ?? 0) / 100,
    self,
    client: peer.role === 'client',
    gone: is_gone(peer),
    relay: peer.path === 'relay',
    chained: false,
    x: 0,
    y: 0,
    r: 0,
    seen: false,
  };
}

/// The stages' machines in order, then the coordinator; each once if it follows itself.
export function chain_ids({ stages, coordinator }: Deployment): string[] {
  const ids = [...stages.map((stage) => stage.node_id), coordinator].filter(Boolean);
  return ids.filter((id, i) => id !== ids[i - 1]);
}

export function scene_of(peers: ReadonlyMap<string, Peer>, self_id: string, deployments: readonly Deployment[], colours: ReadonlyMap<string, number>): Scene {
  const discs = [...peers.values()].map((peer) => disc_of(peer, self_id));
  const by_id = new Map(discs.map((disc) => [disc.id, disc]));
  const chains: ChainLine[] = [];
  for (const deployment of deployments.filter(is_split)) {
    const through = chain_ids(deployment).flatMap((id) => by_id.get(id) ?? []);
    if (through.length < 2) continue;
    for (const disc of through) disc.chained = true;
    chains.push({
      model: deployment.model,
      colour: colours.get(deployment.model) ?? 1,
      moving: deployment.state === 'forming' || deployment.state === 'repairing',
      through,
    });
  }
  discs.sort((a, b) => Number(b.self) - Number(a.self));
  return { discs, chains };
}

/// A model keeps its colour; a new one gets the first that is free.
export function assign_colours(before: ReadonlyMap<string, number>, models: readonly string[], colours: number): Map<string, number> {
  const after = new Map<string, number>();
  for (const model of models) {
    const colour = before.get(model);
    if (colour !== undefined) after.set(model, colour);
  }
  for (const model of models) {
    if (after.has(model)) continue;
    const taken = new Set(after.values());
    const free = Array.from({ length: colours }, (_, i) => i + 1).find((colour) => !taken.has(colour));
    after.set(model, free ?? (after.size % colours) + 1);
  }
  return after;
}

/// Where each disc stands on the canvas.
export function project(scene: Scene, places: ReadonlyMap<string, Place>, view: View, stretch: number, width: number, height: number): void {
  const size = scene.discs.length > 60 ? 10 : 13;
  const r = Math.min(16, Math.max(scene.discs.length > 400 ? 2.8 : 3.4, size * view.scale));
  for (const disc of scene.discs) {
    const place = places.get(disc.id);
    disc.r = disc.self ? Math.max(r * 1.3, 10) : disc.chained ? Math.max(r, 5) : r;
    disc.x = view.x + (place?.x ?? 0) * stretch * view.scale;
    disc.y = view.y + (place?.y ?? 0) * view.scale;
    disc.seen = place !== undefined && disc.x > -20 && disc.y > -20 && disc.x < width + 20 && disc.y < height + 20;
  }
}

/// The disc under a point of the canvas, with some reach around it for fingers.
export function disc_at({ discs }: Scene, x: number, y: number, reach = 6): Disc | null {
  let found: Disc | null = null;
  let nearest = Number.POSITIVE_INFINITY;
  for (const disc of discs) {
    const distance = Math.hypot(disc.x - x, disc.y - y);
    if (disc.seen && distance <= disc.r + reach && distance < nearest) {
      nearest = distance;
      found = disc;
    }
  }
  return found;
}
