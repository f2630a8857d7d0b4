// The colours of the tokens, as the canvas wants them.
import { chain_colours } from '../../../chains/chain_text';

export interface Palette {
  surface: string;
  line: string;
  text: string;
  text_2: string;
  accent: string;
  accent_soft: string;
  good: string;
  warm: string;
  bad: string;
  quiet: string;
  good_soft: string;
  warm_soft: string;
  bad_soft: string;
  quiet_soft: string;
  chains: string[]; // [0] is --chain-1
  font: string;
}

export function read_palette(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    surface: token('surface'),
    line: token('line'),
    text: token('text'),
    text_2: token('text-2'),
    accent: token('accent'),
    accent_soft: token('accent-soft'),
    good: token('good'),
    warm: token('warm'),
    bad: token('bad'),
    quiet: token('text-2'),
    good_soft: token('good-soft'),
    warm_soft: token('warm-soft'),
    bad_soft: token('bad-soft'),
    quiet_soft: token('surface-2'),
    chains: Array.from({ length: chain_colours }, (_, i) => token(`chain-${i + 1}`)),
    font: style.fontFamily,
  };
}
