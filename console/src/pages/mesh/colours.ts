// Which chain has which colour: the same in the picture and on the cards, and as long as the model is there.
import { computed } from '@preact/signals';
import { chain_colours } from '../../chains/chain_text';
import { deployments } from '../../live/live';
import { assign_colours } from './picture/scene';
import { is_split } from './words';

let before: ReadonlyMap<string, number> = new Map();

export const colours = computed<ReadonlyMap<string, number>>(() => {
  before = assign_colours(
    before,
    deployments.value.filter(is_split).map(({ model }) => model),
    chain_colours,
  );
  return before;
});
