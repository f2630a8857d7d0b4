// The lower layer: rings of equal round trip, and the links of this machine.
import type { Occupancy } from './occupancy';
import { radius_of, rings_ms } from './radius';
import type { Palette } from './palette';
import type { Scene } from './scene';
import type { View } from './view';

type Context = CanvasRenderingContext2D;

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

/// Above the machines, so that a crowd does not hide them. `room` is told where they are.
export function paint_ring_labels(ctx: Context, scene: Scene, view: View, room: Occupancy, palette: Palette): void {
  if (scene.discs.length < 2) return;
  ctx.font = `11px ${palette.font}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const rtt of rings_ms) {
    const y = view.y - radius_of(rtt, scene.discs.length - 1) * view.scale;
    const label = `${rtt} ms`;
    const half = ctx.measureText(label).width / 2 + 4;
    ctx.fillStyle = palette.surface;
    ctx.fillRect(view.x - half, y - 8, 2 * half, 16);
    ctx.fillStyle = palette.text_2;
    ctx.fillText(label, view.x, y);
    room.mark(view.x - half, y - 8, view.x + half, y + 8);
  }
}

function paint_links(ctx: Context, { discs }: Scene, palette: Palette): void {
  const self = discs[0];
  if (!self?.self) return;
  ctx.strokeStyle = palette.text_2;
  const crowd = discs.length > 100;
  ctx.globalAlpha = crowd ? 0.13 : 0.45;
  ctx.lineWidth = 1;
  for (const relay of [false, true]) {
    ctx.setLineDash(relay ? [5, 5] : []);
    ctx.beginPath();
    for (const disc of discs) {
      if (disc.self || disc.gone || disc.relay !== relay) continue;
      // In a crowd they begin apart from the middle, where they would run into one blot.
      const begin = crowd ? Math.min(0.5, 56 / Math.max(1, Math.hypot(disc.x - self.x, disc.y - self.y))) : 0;
      ctx.moveTo(self.x + (disc.x - self.x) * begin, self.y + (disc.y - self.y) * begin);
      ctx.lineTo(disc.x, disc.y);
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

export function paint_ground(ctx: Context, scene: Scene, view: View, stretch: number, palette: Palette): void {
  if (scene.discs.length > 1) paint_rings(ctx, view, stretch, scene.discs.length - 1, palette);
  paint_links(ctx, scene, palette);
}
