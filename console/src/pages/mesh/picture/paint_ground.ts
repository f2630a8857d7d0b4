// The lower layer: rings of equal round trip, and the links of this machine.
import type { Occupancy } from './occupancy';
import { radius_of, rings_ms } from './radius';
import type { Palette } from './palette';
import { type Disc, type Scene, is_crowd } from './scene';
import { type View, part_inside } from './view';

type Context = CanvasRenderingContext2D;

const dash_period = 10;

function paint_rings(ctx: Context, view: View, stretch: number, count: number, palette: Palette): void {
  ctx.strokeStyle = palette.line;
  ctx.lineWidth = 1;
  for (const rtt of rings_ms) {
    const radius = radius_of(rtt, count) * view.scale;
    ctx.beginPath();
    ctx.ellipse(view.x, view.y, radius * stretch, radius, 0, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

/// `room` is told where they are.
export function paint_ring_labels(ctx: Context, scene: Scene, view: View, room: Occupancy, palette: Palette): void {
  if (scene.discs.length < 2) return;
  ctx.font = `11px ${palette.font}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const rtt of rings_ms) {
    const y = view.y - radius_of(rtt, scene.discs.length - 1) * view.scale;
    if (y < 10) continue; // it would be cut off
    const label = `${rtt} ms`;
    const half = ctx.measureText(label).width / 2 + 4;
    ctx.fillStyle = palette.surface;
    ctx.fillRect(view.x - half, y - 8, 2 * half, 16);
    ctx.fillStyle = palette.text_2;
    ctx.fillText(label, view.x, y);
    room.mark(view.x - half, y - 8, view.x + half, y + 8);
  }
}

/// Only what is in sight: of long lines with dashes the rest would cost most.
function link_path(ctx: Context, self: Disc, disc: Disc, apart: number, width: number, height: number): void {
  const dx = disc.x - self.x;
  const dy = disc.y - self.y;
  const length = Math.hypot(dx, dy);
  const inside = part_inside(self.x, self.y, disc.x, disc.y, width, height);
  if (!inside || length === 0) return;
  const whole_dashes = Math.floor((inside[0] * length) / dash_period) * dash_period; // so that they do not crawl
  const from = Math.max(Math.min(apart, length / 2), whole_dashes) / length;
  ctx.moveTo(self.x + dx * from, self.y + dy * from);
  ctx.lineTo(self.x + dx * inside[1], self.y + dy * inside[1]);
}

function paint_links(ctx: Context, { discs }: Scene, width: number, height: number, palette: Palette): void {
  const self = discs[0];
  if (!self?.self) return;
  const apart = is_crowd(discs.length) ? 56 : 0; // else they would run into one blot
  ctx.strokeStyle = palette.text_2;
  ctx.globalAlpha = apart > 0 ? 0.13 : discs.length > 30 ? 0.32 : 0.45;
  ctx.lineWidth = 1;
  for (const relay of [false, true]) {
    ctx.setLineDash(relay ? [dash_period / 2, dash_period / 2] : []);
    ctx.beginPath();
    for (const disc of discs) {
      if (!disc.self && !disc.gone && disc.relay === relay) link_path(ctx, self, disc, apart, width, height);
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

export function paint_ground(ctx: Context, scene: Scene, view: View, stretch: number, width: number, height: number, palette: Palette): void {
  if (scene.discs.length > 1) paint_rings(ctx, view, stretch, scene.discs.length - 1, palette);
  paint_links(ctx, scene, width, height, palette);
}
