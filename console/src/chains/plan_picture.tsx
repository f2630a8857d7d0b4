import type { Plan } from '../live/types';

export function PlanPicture({ plan }: { plan: Plan }) {
  return (
    <ol>
      {plan.stages.map((stage) => (
        <li key={stage.node_id}>
          {stage.name}: layers {stage.first_layer} to {stage.last_layer}
        </li>
      ))}
    </ol>
  );
}
