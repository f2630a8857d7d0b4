// A chain of stages as a picture: which layers of a model are where, in the order in which a token passes them.
import { ArrowRight, CircleCheck, LoaderCircle, Unplug } from 'lucide-preact';
import { Link } from 'wouter-preact';
import { short_id } from '../format';
import { type ChainStage, chain_colour, cost_text, layers_text, stage_shares } from './chain_text';
import './chain.css';

export type { ChainStage } from './chain_text';

const states = {
  ready: { word: 'ready', Icon: CircleCheck },
  loading: { word: 'loading', Icon: LoaderCircle },
  lost: { word: 'lost', Icon: Unplug },
} as const;

function Segment({ stage, share }: { stage: ChainStage; share: number }) {
  const state = stage.state && Object.hasOwn(states, stage.state) ? states[stage.state] : undefined; // a newer node may know more
  const cost = cost_text(stage);
  return (
    <li class="chain-stage" data-state={stage.state} style={{ flexGrow: Math.max(0.01, share) }}>
      <ArrowRight class="chain-arrow" size={16} aria-hidden="true" />
      <div class="chain-box">
        <span class="chain-name">
          <Link href={`/mesh/${stage.node_id}`}>{stage.name || short_id(stage.node_id)}</Link>
          {state && (
            <span class="chain-state">
              <state.Icon size={14} aria-hidden="true" />
              {state.word}
            </span>
          )}
        </span>
        <span>{layers_text(stage)}</span>
        {cost && <small>{cost}</small>}
      </div>
    </li>
  );
}

export function Chain({ stages, color_index = 0, total_label }: { stages: readonly ChainStage[]; color_index?: number; total_label?: string }) {
  const shares = stage_shares(stages);
  return (
    <div class={`chain chain-${chain_colour(color_index)}`}>
      <ol class="chain-stages">
        {stages.map((stage, i) => (
          <Segment key={`${i}-${stage.node_id}`} stage={stage} share={shares[i] ?? 0} />
        ))}
      </ol>
      {total_label && <p class="chain-total">{total_label}</p>}
    </div>
  );
}
