// Where the machines stand. This machine is in the middle; the others at their distance, kept apart. What stands already
// stays: only machines that are new, or whose distance has changed, look for a place.
import { type Simulation, type SimulationNodeDatum, forceCollide, forceRadial, forceSimulation } from 'd3-force';
import { has_moved, radius_of, room_of } from './radius';

export interface Place extends SimulationNodeDatum {
  id: string;
  x: number;
  y: number;
  wanted: number; // the radius
}

export interface LayoutInput {
  id: string;
  rtt_ms: number | null;
}

const golden_angle = Math.PI * (3 - Math.sqrt(5));

/// The same angle for the same machine each time.
function angle_of(id: string): number {
  let hash = 2166136261;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619);
  return ((hash >>> 0) / 2 ** 32) * 2 * Math.PI;
}

export class Layout {
  readonly places = new Map<string, Place>();
  private readonly simulation: Simulation<Place, undefined>;
  private centre = '';
  private free = new Set<string>(); // looking for a place
  private room = 0;

  constructor() {
    this.simulation = forceSimulation<Place>([]).stop().velocityDecay(0.45);
  }

  /// True: something has to move; tick() until it says that all stand.
  update(centre: string, others: readonly LayoutInput[]): boolean {
    const count = others.length;
    const there = new Set(others.map((one) => one.id));
    const crowd_changed = room_of(count) !== this.room;
    let changed = this.centre !== centre || crowd_changed;
    this.room = room_of(count);
    this.centre = centre;
    for (const id of this.places.keys()) {
      if (id === centre || there.has(id)) continue;
      this.places.delete(id);
      this.free.delete(id);
      changed = true;
    }
    if (centre && !this.places.has(centre)) this.places.set(centre, { id: centre, x: 0, y: 0, wanted: 0 });
    for (const { id, rtt_ms } of others) {
      const wanted = radius_of(rtt_ms, count);
      const place = this.places.get(id);
      if (!place) {
        const angle = count <= 40 ? this.places.size * golden_angle - 0.6 : angle_of(id);
        this.places.set(id, { id, x: wanted * Math.cos(angle), y: wanted * Math.sin(angle), wanted });
        this.free.add(id);
        changed = true;
      } else if (crowd_changed || has_moved(place.wanted, wanted, count)) {
        place.wanted = wanted;
        this.free.add(id);
        changed = true;
      }
    }
    if (changed) this.start();
    return this.free.size > 0;
  }

  private start(): void {
    const few = this.free.size < this.places.size / 3;
    for (const place of this.places.values()) {
      const stays = !this.free.has(place.id);
      place.fx = place.id === this.centre ? 0 : stays ? place.x : null;
      place.fy = place.id === this.centre ? 0 : stays ? place.y : null;
    }
    this.simulation
      .nodes([...this.places.values()])
      .force('distance', forceRadial<Place>((place) => place.wanted).strength(0.5))
      .force('room', forceCollide<Place>((place) => (place.id === this.centre ? Math.max(28, this.room) : this.room)).strength(0.8))
      .alpha(few ? 0.3 : 0.8)
      .alphaDecay(few ? 0.06 : 0.03);
  }

  /// Lets them move for about so long; true while somebody still does.
  tick(budget_ms: number): boolean {
    if (this.free.size === 0) return false;
    const until = performance.now() + budget_ms;
    do {
      this.simulation.tick();
      if (this.simulation.alpha() < 0.02) {
        this.free.clear();
        break;
      }
    } while (performance.now() < until);
    return this.free.size > 0;
  }
}
