// The upper layer: machines with a ring for their health. One path for each colour; a thousand of them in a few milliseconds.
import type { Palette } from './palette';
import type { Disc, DiscTone } from './scene';

type Context = CanvasRenderingContext2D;

const tones: readonly DiscTone[] = ['good', 'warm', 'bad', 'quiet'];
const full = 2 * Math.PI;
const ring_from_px = 6; // smaller ones have no ring

function circles(ctx: Context, discs: readonly Disc[], grow: number): void {
  ctx.beginPath();
  for (const { x, y, r } of discs) {
    ctx.moveTo(x + r + grow, y);
    ctx.arc(x, y, r + grow, 0, full);
  }
}

function crosses(ctx: Context, discs: readonly Disc[], palette: Palette): void {
  ctx.beginPath();
  for (const { x, y, r } of discs) {
    const arm = r * 0.5;
    ctx.moveTo(x - arm, y - arm);
    ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x + arm, y - arm);
    ctx.lineTo(x - arm, y + arm);
  }
  ctx.strokeStyle = palette.quiet;
  ctx.lineWidth = 1.5;
  ctx.stroke();
}

function paint_small(ctx: Context, discs: readonly Disc[], tone: DiscTone, palette: Palette): void {
  const colour = palette[tone];
  const filled = discs.filter((disc) => !disc.client && !disc.gone);
  const hollow = discs.filter((disc) => disc.client || disc.gone);
  circles(ctx, filled, 0);
  ctx.fillStyle = colour;
  ctx.fill();
  circles(ctx, hollow, -0.75);
  ctx.fillStyle = palette.surface;
  ctx.fill();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.stroke();
}

function paint_large(ctx: Context, discs: readonly Disc[], tone: DiscTone, palette: Palette): void {
  circles(ctx, discs, 2);
  ctx.fillStyle = palette.surface; // keeps links off the disc
  ctx.fill();
  circles(ctx, discs, -1.5);
  ctx.strokeStyle = palette.line;
  ctx.lineWidth = 3;
  ctx.stroke();
  ctx.beginPath();
  for (const { x, y, r, share, gone } of discs) {
    if (gone || share <= 0) continue;
    ctx.moveTo(x, y - r + 1.5);
    ctx.arc(x, y, r - 1.5, -Math.PI / 2, -Math.PI / 2 + full * Math.min(1, share));
  }
  ctx.strokeStyle = palette[tone];
  ctx.stroke();
  const solid = discs.filter((disc) => !disc.client && !disc.gone && !disc.self);
  circles(ctx, solid, -5);
  ctx.fillStyle = palette[tone];
  ctx.globalAlpha = 0.85;
  ctx.fill();
  ctx.globalAlpha = 1;
}

export function paint_discs(ctx: Context, discs: readonly Disc[], palette: Palette): void {
  for (const tone of tones) {
    const seen = discs.filter((disc) => disc.seen && disc.tone === tone);
    const large = seen.filter((disc) => disc.r >= ring_from_px);
    const small = seen.filter((disc) => disc.r < ring_from_px);
    if (small.length > 0) paint_small(ctx, small, tone, palette);
    if (large.length > 0) paint_large(ctx, large, tone, palette);
  }
  const gone = discs.filter((disc) => disc.seen && disc.gone);
  if (gone.length > 0) crosses(ctx, gone, palette);
  const self = discs.filter((disc) => disc.seen && disc.self);
  circles(ctx, self, -5);
  ctx.fillStyle = palette.accent;
  ctx.fill();
}
