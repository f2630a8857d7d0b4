// Numbers as people read them. Powers of ten, as everywhere in Starling.
const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

export function bytes(count: number | null | undefined): string {
  if (count == null) return '–';
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function ms(value: number | null | undefined): string {
  if (value == null) return '–';
  if (value >= 1000) return `${(value / 1000).toFixed(value >= 10_000 ? 0 : 1)} s`;
  return `${value >= 10 ? Math.round(value) : value.toFixed(value >= 1 ? 1 : 2)} ms`;
}

/// "3 min" of 200 seconds.
export function duration(seconds: number | null | undefined): string {
  if (seconds == null) return '–';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function ago(seconds: number | null | undefined): string {
  if (seconds == null) return 'never';
  return seconds < 5 ? 'now' : `${duration(seconds)} ago`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/// As the log and `starling peers` shorten it.
export function short_id(node_id: string): string {
  return node_id.slice(0, 8);
}
