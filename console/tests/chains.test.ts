import { describe, expect, it } from 'vitest';
import { type ChainStage, chain_colour, cost_text, layers_text, stage_shares } from '../src/chains/chain_text';

const stage = (first_layer: number | null, last_layer: number | null, more: Partial<ChainStage> = {}): ChainStage => ({
  node_id: 'aa',
  name: 'attic',
  first_layer,
  last_layer,
  memory_bytes: null,
  ms_per_token: null,
  ...more,
});

describe('the widths of a chain', () => {
  it('go by the share of layers', () => {
    expect(stage_shares([stage(0, 29), stage(30, 39)])).toEqual([0.75, 0.25]);
  });
  it('are equal where nobody knows the layers', () => {
    expect(stage_shares([stage(null, null), stage(null, null)])).toEqual([0.5, 0.5]);
  });
  it('give a stage of unknown size an average one', () => {
    expect(stage_shares([stage(0, 9), stage(null, null), stage(10, 39)])).toEqual([10 / 60, 20 / 60, 30 / 60]);
  });
  it('are none for a chain without stages', () => {
    expect(stage_shares([])).toEqual([]);
  });
});

describe('a stage in words', () => {
  it('names its layers', () => {
    expect(layers_text(stage(0, 13))).toBe('layers 0–13');
    expect(layers_text(stage(4, 4))).toBe('layer 4');
    expect(layers_text(stage(null, null))).toBe('the whole model');
  });
  it('tells what is known of its cost', () => {
    expect(cost_text(stage(0, 1, { memory_bytes: 5_900_000_000, ms_per_token: 60.02 }))).toBe('5.9 GB · 60 ms per token');
    expect(cost_text(stage(0, 1, { memory_bytes: 5_900_000_000 }))).toBe('5.9 GB');
    expect(cost_text(stage(0, 1))).toBe('');
  });
});

it('the colours of chains begin again after the last', () => {
  expect([0, 5, 6, -1].map(chain_colour)).toEqual([1, 6, 1, 6]);
});
