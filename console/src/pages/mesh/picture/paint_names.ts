// Names under the machines and round trips on the links, where there is room for them.
import type { Occupancy } from './occupancy';
import type { Palette } from './palette';
import type { Disc, Scene } from './scene';

type Context = CanvasRenderingContext2D;

const line_px = 14;
const few = 60; // so many always show their names
const names_from_px = 7;
const longest = 18; // letters

const widths = new Map<string, number>();

function width_of(ctx: Context, text: string): number {
  const key = ctx.font + text;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 5_000) widths.clear();
    width = ctx.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

const shortened = (name: string) => (name.length > longest ? `${name.slice(0, longest - 1)}…` : name);

interface Written {
  text: string;
  note: string;
  disc: Disc;
  x: number;
  y: number;
}

function place_name(ctx: Context, disc: Disc, room: Occupancy): Written | null {
  const text = shortened(disc.name);
  const half = Math.max(width_of(ctx, text), disc.note ? width_of(ctx, disc.note) * 0.92 : 0) / 2 + 2;
  const height = line_px * (disc.note ? 2 : 1);
  for (const top of [disc.y + disc.r + 4, disc.y - disc.r - 4 - height]) {
    if (!disc.self && !room.take(disc.x - half, top, disc.x + half, top + height)) continue;
    if (disc.self) room.mark(disc.x - half, top, disc.x + half, top + height); // its name is never left out
    return { text, note: disc.note, disc, x: disc.x, y: top + line_px / 2 };
  }
  return null;
}

function paint_round_trips(ctx: Context, { discs }: Scene, room: Occupancy, palette: Palette): void {
  const self = discs[0];
  if (!self?.self) return;
  ctx.font = `11px ${palette.font}`;
  const written: { text: string; x: number; y: number; half: number }[] = [];
  for (const disc of discs) {
    const length = Math.hypot(disc.x - self.x, disc.y - self.y);
    if (!disc.rtt || disc.gone || !disc.seen || length < 84 || disc.r < names_from_px) continue;
    const half = width_of(ctx, disc.rtt) / 2 + 3;
    // Of a long link near its machine, so that one sees whose it is.
    const shares = length < 300 ? [0.55, 0.66, 0.44] : [70, 95, 120].map((from_disc) => 1 - (disc.r + from_disc) / length);
    for (const share of shares) {
      const x = self.x + (disc.x - self.x) * share;
      const y = self.y + (disc.y - self.y) * share;
      if (!room.take(x - half, y - 8, x + half, y + 8)) continue;
      written.push({ text: disc.rtt, x, y, half });
      break;
    }
  }
  ctx.fillStyle = palette.surface;
  for (const { x, y, half } of written) ctx.fillRect(x - half, y - 8, 2 * half, 16);
  ctx.fillStyle = palette.text_2;
  for (const { text, x, y } of written) ctx.fillText(text, x, y);
}

/// `room` has what is written already.
export function paint_names(ctx: Context, scene: Scene, room: Occupancy, palette: Palette): void {
  const crowd = scene.discs.length > few;
  for (const { x, y, r, seen } of scene.discs) if (seen) room.mark(x - r, y - r, x + r, y + r);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.font = `550 12px ${palette.font}`;
  const shown = scene.discs.filter((disc) => disc.seen && (!crowd || disc.self || disc.chained || disc.r >= names_from_px));
  if (crowd) shown.sort((a, b) => Number(b.self || b.chained) - Number(a.self || a.chained));
  const written = shown.flatMap((disc) => place_name(ctx, disc, room) ?? []);
  ctx.lineWidth = 4;
  ctx.lineJoin = 'round';
  ctx.strokeStyle = palette.surface; // a halo, so that links do not cross the letters
  for (const { text, x, y } of written) ctx.strokeText(text, x, y);
  for (const { text, x, y, disc } of written) {
    ctx.fillStyle = disc.gone ? palette.text_2 : palette.text;
    ctx.fillText(text, x, y);
  }
  ctx.font = `11px ${palette.font}`;
  for (const { note, x, y, disc } of written) {
    if (!note) continue;
    ctx.strokeText(note, x, y + line_px);
    ctx.fillStyle = disc.self && note === 'this machine' ? palette.text_2 : palette[disc.tone];
    ctx.fillText(note, x, y + line_px);
  }
  paint_round_trips(ctx, scene, room, palette);
}
