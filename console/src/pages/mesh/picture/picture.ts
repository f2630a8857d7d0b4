// The canvas: draws when something has changed or moves, and else rests. Three layers: ground (rings, links), chains, and
// machines with their names; the first and the last are kept between frames, so that moving dashes cost little.
import type { Deployment, Peer } from '../../../live/types';
import { Layout } from './layout';
import { Occupancy } from './occupancy';
import { paint_chains } from './paint_chains';
import { paint_discs } from './paint_discs';
import { paint_ground, paint_ring_labels } from './paint_ground';
import { paint_names } from './paint_names';
import { type Palette, read_palette } from './palette';
import { type Disc, type Scene, disc_at, is_crowd, project, scene_of } from './scene';
import { type View, fit, pan_by, stretch_of, zoom_at } from './view';

const first_budget_ms = 60; // of the layout, before the first frame
const frame_budget_ms = 5;
const dash_frame_ms = 30; // moving dashes need no more

export interface Marked {
  id: string;
  x: number;
  y: number;
  r: number;
}

const empty: Scene = { discs: [], chains: [] };

function layer(): CanvasRenderingContext2D {
  return document.createElement('canvas').getContext('2d', { willReadFrequently: false }) as CanvasRenderingContext2D;
}

export class Picture {
  /// Told where the marked machine stands, whenever that may have changed; null: none is.
  on_mark: (marked: Marked | null) => void = () => undefined;

  private readonly ctx: CanvasRenderingContext2D;
  private readonly ground = layer();
  private readonly machines = layer();
  private readonly layout = new Layout();
  private readonly room = new Occupancy();
  private readonly calm = matchMedia('(prefers-reduced-motion: reduce)');
  private palette: Palette | null = null;
  private scene: Scene = empty;
  private view: View = { x: 0, y: 0, scale: 1 };
  private chosen_view = false; // by the person; else all is shown
  private width = 0;
  private height = 0;
  private ratio = 1;
  private dirty = true;
  private settling = false;
  private in_sight = true;
  private hovered = '';
  private focused = '';
  private frame = 0;
  private drawn_ms = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.ctx = canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    this.on_mark = () => undefined;
  }

  show(peers: ReadonlyMap<string, Peer>, self_id: string, deployments: readonly Deployment[], colours: ReadonlyMap<string, number>): void {
    if (peers.size === 0) return; // a new stream has begun, and will tell them
    const first = this.scene.discs.length === 0;
    this.scene = scene_of(peers, self_id, deployments, colours);
    const others = this.scene.discs.filter((disc) => !disc.self).map(({ id }) => ({ id, rtt_ms: peers.get(id)?.rtt_ms ?? null }));
    this.settling = this.layout.update(self_id, others);
    if (this.settling && first) this.settling = this.layout.tick(first_budget_ms);
    this.redraw();
  }

  resize(width: number, height: number, ratio: number): void {
    if (width === this.width && height === this.height && ratio === this.ratio) return;
    Object.assign(this, { width, height, ratio });
    for (const { canvas } of [this.ctx, this.ground, this.machines]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.redraw();
  }

  retheme(): void {
    this.palette = null;
    this.redraw();
  }

  set_in_sight(in_sight: boolean): void {
    this.in_sight = in_sight;
    if (in_sight) this.redraw();
  }

  /// Shows all of it, and keeps doing so until the person moves it.
  fit(): void {
    this.chosen_view = false;
    this.redraw();
  }

  zoom(factor: number, x = this.width / 2, y = this.height / 2): void {
    this.view = zoom_at(this.view, x, y, factor);
    this.chosen_view = true;
    this.redraw();
  }

  pan(dx: number, dy: number): void {
    this.view = pan_by(this.view, dx, dy);
    this.chosen_view = true;
    this.redraw();
  }

  /// All of it is in sight, or smaller.
  is_fitted(): boolean {
    return this.view.scale <= this.fitted().scale * 1.01;
  }

  at(x: number, y: number, reach?: number): Disc | null {
    return disc_at(this.scene, x, y, reach);
  }

  hover(id: string): void {
    if (this.hovered === id) return;
    this.hovered = id;
    this.request();
  }

  /// Also brings it into sight.
  focus(id: string): void {
    this.focused = id;
    const disc = this.scene.discs.find((one) => one.id === id);
    if (disc && (disc.x < 20 || disc.y < 20 || disc.x > this.width - 20 || disc.y > this.height - 20)) {
      this.pan(this.width / 2 - disc.x, this.height / 2 - disc.y);
    }
    this.request();
  }

  private redraw(): void {
    this.dirty = true;
    this.request();
  }

  private request(): void {
    if (this.frame === 0 && this.in_sight && this.width > 0) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  private fitted(): View {
    const stretch = stretch_of(this.width, this.height);
    let [left, top, right, bottom] = [-60, -60, 60, 60];
    for (const { x, y } of this.layout.places.values()) {
      left = Math.min(left, x * stretch);
      right = Math.max(right, x * stretch);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    return fit({ left, top, right, bottom }, this.width, this.height);
  }

  private draw(now_ms: number): void {
    this.frame = 0;
    this.palette ??= read_palette(this.canvas);
    if (this.settling) {
      this.settling = this.layout.tick(this.calm.matches ? 40 : frame_budget_ms);
      this.dirty = true;
    }
    const moving = !this.calm.matches && this.scene.chains.some((chain) => chain.moving);
    if (!this.dirty && moving && !this.hovered && now_ms - this.drawn_ms < dash_frame_ms) return this.request();
    this.drawn_ms = now_ms;
    if (this.dirty) this.paint_layers(this.palette);
    this.compose(this.palette, moving ? now_ms : 0);
    this.dirty = false;
    this.tell_mark();
    if (this.settling || moving) this.request();
  }

  private paint_layers(palette: Palette): void {
    const { width, height, ratio, scene } = this;
    const stretch = stretch_of(width, height);
    if (!this.chosen_view) this.view = this.fitted();
    project(scene, this.layout.places, this.view, stretch, width, height);
    this.ground.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ground.fillStyle = palette.surface;
    this.ground.fillRect(0, 0, width, height);
    paint_ground(this.ground, scene, this.view, stretch, width, height, palette);
    this.room.clear(width, height);
    this.machines.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.machines.clearRect(0, 0, width, height);
    paint_discs(this.machines, scene.discs, palette);
    // Under the machines, where a crowd does not hide them.
    paint_ring_labels(is_crowd(scene.discs.length) ? this.machines : this.ground, scene, this.view, this.room, palette);
    paint_names(this.machines, scene, this.room, palette);
  }

  private compose(palette: Palette, time_ms: number): void {
    const { ctx, ratio } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.drawImage(this.ground.canvas, 0, 0);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint_chains(ctx, this.scene.chains, palette, time_ms);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.drawImage(this.machines.canvas, 0, 0);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const disc of this.scene.discs) {
      if (disc.id !== this.hovered && disc.id !== this.focused) continue;
      ctx.beginPath();
      ctx.arc(disc.x, disc.y, disc.r + 5, 0, 2 * Math.PI);
      ctx.strokeStyle = palette.accent;
      ctx.lineWidth = disc.id === this.focused ? 3 : 2;
      ctx.stroke();
    }
  }

  private tell_mark(): void {
    const id = this.hovered || this.focused;
    const disc = id === '' ? undefined : this.scene.discs.find((one) => one.id === id);
    this.on_mark(disc ? { id, x: disc.x, y: disc.y, r: disc.r } : null);
  }
}
