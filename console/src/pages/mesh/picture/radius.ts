// How far from the middle a machine stands: the logarithm of its round trip. Pure; units of the layout.
const nearest_ms = 0.2;
const farthest_ms = 1_000;
const middle = 70; // room around this machine
const decade = 110; // for ten times the round trip

export const rings_ms = [1, 10, 100] as const;

/// More machines need more room.
export function spread_of(count: number): number {
  return Math.max(1, Math.sqrt(count / 120));
}

/// A round trip that is not known counts as a far one.
export function radius_of(rtt_ms: number | null, count: number): number {
  const rtt = Math.min(farthest_ms, Math.max(nearest_ms, rtt_ms ?? 300));
  return spread_of(count) * (middle + decade * Math.log10(rtt / nearest_ms));
}

/// How much room a machine takes, with its name where there are few.
export function room_of(count: number): number {
  return count <= 12 ? 50 : count <= 40 ? 34 : 15;
}

/// A machine stays where it is until its round trip differs by about a third.
export function has_moved(stands_at: number, wanted: number, count: number): boolean {
  return Math.abs(stands_at - wanted) > spread_of(count) * decade * 0.13;
}
