// Between the layers: the chains of split models, curved so that two through the same machines lie side by side.
import type { Palette } from './palette';
import type { ChainLine, Disc } from './scene';

type Context = CanvasRenderingContext2D;

const dash = [9, 7];
const dash_px_per_s = 26;

function segment(ctx: Context, from: Disc, to: Disc, bow: number): void {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  if (length < from.r + to.r + 12) return;
  const cx = (from.x + to.x) / 2 - dy * bow;
  const cy = (from.y + to.y) / 2 + dx * bow;
  const start = Math.hypot(cx - from.x, cy - from.y);
  const end = Math.hypot(to.x - cx, to.y - cy);
  const ux = (to.x - cx) / end;
  const uy = (to.y - cy) / end;
  const tip_x = to.x - ux * (to.r + 4);
  const tip_y = to.y - uy * (to.r + 4);
  const reach = from.r + 3;
  ctx.beginPath();
  ctx.moveTo(from.x + ((cx - from.x) / start) * reach, from.y + ((cy - from.y) / start) * reach);
  ctx.quadraticCurveTo(cx, cy, tip_x - ux * 6, tip_y - uy * 6);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(tip_x, tip_y);
  ctx.lineTo(tip_x - ux * 10 - uy * 5.5, tip_y - uy * 10 + ux * 5.5);
  ctx.lineTo(tip_x - ux * 10 + uy * 5.5, tip_y - uy * 10 - ux * 5.5);
  ctx.fill();
}

export function paint_chains(ctx: Context, chains: readonly ChainLine[], palette: Palette, time_ms: number): void {
  ctx.lineWidth = 3;
  ctx.lineCap = 'butt';
  chains.forEach(({ through, colour, moving }, nth) => {
    const ink = palette.chains[colour - 1] ?? palette.accent;
    ctx.strokeStyle = ink;
    ctx.fillStyle = ink;
    ctx.setLineDash(moving ? dash : []);
    ctx.lineDashOffset = moving ? -((time_ms / 1000) * dash_px_per_s) % 16 : 0;
    const bow = 0.16 + 0.05 * (nth % 4);
    for (let i = 1; i < through.length; i++) segment(ctx, through[i - 1] as Disc, through[i] as Disc, bow);
  });
  ctx.setLineDash([]);
}
