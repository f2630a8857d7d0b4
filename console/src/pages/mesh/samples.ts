// A machine's load over time: what the node has kept, then what its rows tell. Pure.
import type { History, Peer } from '../../live/types';

export type Sample = History['samples'][number];

export const kept_s = 30 * 60; // as long as the node keeps it

/// What a row says now; null where it tells of no health.
export function sample_of({ health, rtt_ms }: Peer, unix_s: number): Sample | null {
  return health ? [unix_s, health.cpu, health.memory, health.queue, health.score, rtt_ms] : null;
}

/// Oldest first, one for each time, none older than is kept. Of two for the same time the later told wins.
export function merge_samples(before: readonly Sample[], more: readonly Sample[], now_s: number): Sample[] {
  const by_time = new Map<number, Sample>();
  for (const sample of before) by_time.set(sample[0], sample);
  for (const sample of more) by_time.set(sample[0], sample);
  return [...by_time.values()].filter(([at]) => at > now_s - kept_s).sort((a, b) => a[0] - b[0]);
}

export interface Range {
  latest: number | null;
  lowest: number | null;
  highest: number | null;
}

export function range_of(values: readonly (number | null)[]): Range {
  const known = values.filter((value) => value != null) as number[];
  if (known.length === 0) return { latest: null, lowest: null, highest: null };
  return { latest: values.at(-1) ?? null, lowest: Math.min(...known), highest: Math.max(...known) };
}

export type Series = 'cpu' | 'memory' | 'queue' | 'rtt';

/// Columns for a chart. The queue is turned round: how much of it is taken, so that higher means busier in each line.
export function columns_of(samples: readonly Sample[]): { times: number[] } & Record<Series, (number | null)[]> {
  return {
    times: samples.map((sample) => sample[0]),
    cpu: samples.map((sample) => sample[1]),
    memory: samples.map((sample) => sample[2]),
    queue: samples.map((sample) => 100 - sample[3]),
    rtt: samples.map((sample) => sample[5]),
  };
}
