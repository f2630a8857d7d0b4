// What part of the plane is seen: pan and zoom. Pure.
export interface View {
  x: number; // of the layout's origin, in pixels of the canvas
  y: number;
  scale: number;
}

export const min_scale = 0.05;
export const max_scale = 6;

const clamp = (value: number) => Math.min(max_scale, Math.max(min_scale, value));

/// The point under (px, py) stays there.
export function zoom_at(view: View, px: number, py: number, factor: number): View {
  const scale = clamp(view.scale * factor);
  const by = scale / view.scale;
  return { x: px - (px - view.x) * by, y: py - (py - view.y) * by, scale };
}

export function pan_by(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/// All of the box, with a margin for names; never larger than life.
export function fit(box: Box, width: number, height: number, margin = 44, largest = 1.25): View {
  const room_x = Math.max(40, width - 2 * margin);
  const room_y = Math.max(40, height - 2 * margin);
  const scale = Math.min(largest, clamp(Math.min(room_x / Math.max(1, box.right - box.left), room_y / Math.max(1, box.bottom - box.top))));
  return {
    x: width / 2 - ((box.left + box.right) / 2) * scale,
    y: height / 2 - ((box.top + box.bottom) / 2) * scale,
    scale,
  };
}

/// How much wider than high the rings are, so that a wide picture is used.
export function stretch_of(width: number, height: number): number {
  return Math.min(1.9, Math.max(0.75, width / Math.max(1, height)));
}

/// Which part of a line is inside the canvas, as shares of its length (Liang and Barsky, 1984); null: none.
export function part_inside(x0: number, y0: number, x1: number, y1: number, width: number, height: number): [from: number, to: number] | null {
  let from = 0;
  let to = 1;
  const sides: readonly [slope: number, room: number][] = [
    [x0 - x1, x0],
    [x1 - x0, width - x0],
    [y0 - y1, y0],
    [y1 - y0, height - y0],
  ];
  for (const [slope, room] of sides) {
    if (slope === 0) {
      if (room < 0) return null;
    } else if (slope < 0) from = Math.max(from, room / slope);
    else to = Math.min(to, room / slope);
  }
  return from < to ? [from, to] : null;
}
