// How models are spread over the machines: a card for each that is cut over several, and the others in one line each.
import { Chain } from '../../chains/chain';
import { plural } from '../../format';
import { deployments, name_of } from '../../live/live';
import type { Deployment } from '../../live/types';
import { Badge } from '../../ui/parts';
import { colours } from './colours';
import { deployment_word, is_split } from './words';

export function DeploymentCard({ deployment }: { deployment: Deployment }) {
  const { model, state, stages, coordinator, epoch, reason } = deployment;
  const { word, tone } = deployment_word(state);
  return (
    <article class="card deployment">
      <header>
        <h3>{model}</h3>
        <Badge tone={tone}>{word}</Badge>
      </header>
      {stages.length > 0 && <Chain stages={stages} color_index={(colours.value.get(model) ?? 1) - 1} />}
      <p class="deployment-facts">
        {is_split(deployment) && <span>{name_of(coordinator)} takes the requests</span>}
        {epoch > 1 && <span>put together {plural(epoch, 'time')}</span>}
      </p>
      {reason && <p class="deployment-reason">{reason}</p>}
    </article>
  );
}

/// Those that are cut first.
export function Deployments() {
  const all = [...deployments.value].sort((a, b) => Number(is_split(b)) - Number(is_split(a)) || a.model.localeCompare(b.model));
  if (all.length === 0) return null;
  return (
    <section class="deployments" aria-labelledby="deployments-title">
      <h2 id="deployments-title">Where the models run</h2>
      {all.map((deployment) => (
        <DeploymentCard key={`${deployment.model} ${deployment.coordinator}`} deployment={deployment} />
      ))}
    </section>
  );
}
