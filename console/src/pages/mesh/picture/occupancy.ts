// Which parts of the canvas have something on them, in squares of four pixels: names are written only where there is room.
const cell = 4;

export class Occupancy {
  private columns = 0;
  private rows = 0;
  private taken = new Uint8Array(0);

  clear(width: number, height: number): void {
    const columns = Math.ceil(width / cell);
    const rows = Math.ceil(height / cell);
    if (columns !== this.columns || rows !== this.rows) this.taken = new Uint8Array(columns * rows);
    else this.taken.fill(0);
    this.columns = columns;
    this.rows = rows;
  }

  mark(left: number, top: number, right: number, bottom: number): void {
    const from = Math.max(0, Math.floor(left / cell));
    const to = Math.min(this.columns, Math.ceil(right / cell));
    for (let y = Math.max(0, Math.floor(top / cell)); y < Math.min(this.rows, Math.ceil(bottom / cell)); y++) {
      this.taken.fill(1, y * this.columns + from, y * this.columns + Math.max(from, to));
    }
  }

  /// Marks the box if it is wholly inside and free.
  take(left: number, top: number, right: number, bottom: number): boolean {
    const from_x = Math.floor(left / cell);
    const from_y = Math.floor(top / cell);
    const to_x = Math.ceil(right / cell);
    const to_y = Math.ceil(bottom / cell);
    if (from_x < 0 || from_y < 0 || to_x > this.columns || to_y > this.rows) return false;
    for (let y = from_y; y < to_y; y++) {
      for (let x = from_x; x < to_x; x++) {
        if (this.taken[y * this.columns + x]) return false;
      }
    }
    this.mark(left, top, right, bottom);
    return true;
  }
}
