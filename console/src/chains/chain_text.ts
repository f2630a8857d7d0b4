// What a chain of stages says in words and in widths.
import { bytes, ms } from '../format';
import type { Stage } from '../live/types';

/// A stage that runs (Deployment.stages) or one that is planned (Plan.stages, without a state).
export type ChainStage = Omit<Stage, 'state'> & { state?: Stage['state'] | undefined };

export const chain_colours = 6; // --chain-1 … --chain-6

/// The colour of the n-th chain, counted from 0.
export function chain_colour(n: number): number {
  return (((n % chain_colours) + chain_colours) % chain_colours) + 1;
}

export function layer_count({ first_layer, last_layer }: ChainStage): number | null {
  return first_layer == null || last_layer == null ? null : last_layer - first_layer + 1;
}

/// "layers 0–13"; of a model whose layers nobody knows "the whole model".
export function layers_text(stage: ChainStage): string {
  const count = layer_count(stage);
  if (count == null) return 'the whole model';
  return count === 1 ? `layer ${stage.first_layer}` : `layers ${stage.first_layer}–${stage.last_layer}`;
}

/// How much of the width each stage gets; they add up to 1. Stages of unknown size count as an average one.
export function stage_shares(stages: readonly ChainStage[]): number[] {
  const counts = stages.map(layer_count);
  const known = counts.filter((count) => count != null && count > 0) as number[];
  const average = known.length > 0 ? known.reduce((sum, count) => sum + count, 0) / known.length : 1;
  const sizes = counts.map((count) => (count != null && count > 0 ? count : average));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return sizes.map((size) => size / total);
}

/// "5.9 GB · 60 ms per token", as far as it is known.
export function cost_text({ memory_bytes, ms_per_token }: ChainStage): string {
  return [memory_bytes == null ? '' : bytes(memory_bytes), ms_per_token == null ? '' : `${ms(ms_per_token)} per token`]
    .filter((part) => part !== '')
    .join(' · ');
}

/// "9.8" of 9.83, "120" of 120.4.
export function rate(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1);
}
