// Where a model would go, what it would give, and why.
import { plural } from '../format';
import type { Plan } from '../live/types';
import { Chain } from './chain';
import { rate } from './chain_text';

export function PlanPicture({ plan }: { plan: Plan }) {
  const whole = plan.stages.length === 1;
  return (
    <div class="plan-picture">
      <dl class="plan-rates">
        <div>
          <dt>One answer alone</dt>
          <dd>
            <strong>{rate(plan.tokens_per_s)}</strong> tokens/s
          </dd>
        </div>
        <div>
          <dt>All answers at once</dt>
          <dd>
            <strong>{rate(plan.total_tokens_per_s)}</strong> tokens/s
          </dd>
        </div>
        <div>
          <dt>Where</dt>
          <dd>{whole ? 'whole, on one machine' : `cut over ${plural(plan.stages.length, 'machine')}`}</dd>
        </div>
      </dl>
      <Chain stages={plan.stages} />
      <p class="plan-reason">{plan.reason}</p>
    </div>
  );
}
