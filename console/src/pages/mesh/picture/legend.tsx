// What the colours and lines mean.
import { deployments, peers } from '../../../live/live';
import { colours } from '../colours';
import { deployment_word, is_split } from '../words';

const most = 5;

export function Legend() {
  const split = deployments.value.filter(is_split);
  if (split.length === 0 && peers.value.size < 2) return null;
  return (
    <ul class="mesh-legend">
      {split.slice(0, most).map(({ model, state }) => (
        <li key={model}>
          <span class={`swatch chain-${colours.value.get(model) ?? 1}`} aria-hidden="true" />
          <span class="legend-model">{model}</span>
          {state !== 'serving' && <span class="muted">{deployment_word(state).word}</span>}
        </li>
      ))}
      {split.length > most && <li class="muted">and {split.length - most} more</li>}
      <li class="muted">
        <span class="line" aria-hidden="true" /> direct
        <span class="line relay" aria-hidden="true" /> through a relay
      </li>
    </ul>
  );
}
