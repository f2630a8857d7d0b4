import { describe, expect, it } from 'vitest';
import type { Peer } from '../src/live/types';
import { type Sample, columns_of, kept_s, merge_samples, range_of, sample_of } from '../src/pages/mesh/samples';

const at = (unix_s: number, cpu = 10): Sample => [unix_s, cpu, 20, 90, 70, null];

describe('samples', () => {
  it('of the history come before those that were told since, each time once', () => {
    const merged = merge_samples([at(100), at(105), at(110, 1)], [at(110, 2), at(111)], 120);
    expect(merged.map(([time, cpu]) => [time, cpu])).toEqual([[100, 10], [105, 10], [110, 2], [111, 10]]);
  });
  it('are sorted, and the old ones go', () => {
    const now = 10_000;
    expect(merge_samples([at(now - 1), at(now - kept_s - 1)], [at(now - 9)], now).map(([time]) => time)).toEqual([now - 9, now - 1]);
  });
  it('come from a row that tells of its health', () => {
    const row = { health: { cpu: 1, memory: 2, queue: 3, score: 4, state: 'busy' }, rtt_ms: 5 } as Peer;
    expect(sample_of(row, 7)).toEqual([7, 1, 2, 3, 4, 5]);
    expect(sample_of({ ...row, health: null }, 7)).toBeNull();
  });
  it('turn the queue round', () => {
    expect(columns_of([at(1)]).queue).toEqual([10]);
  });
});

describe('ranges', () => {
  it('leave out what is not known', () => {
    expect(range_of([3, null, 1, 2])).toEqual({ latest: 2, lowest: 1, highest: 3 });
    expect(range_of([3, null])).toEqual({ latest: null, lowest: 3, highest: 3 });
    expect(range_of([])).toEqual({ latest: null, lowest: null, highest: null });
  });
});
