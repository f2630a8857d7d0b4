// The models that can be asked, and where they run. Pure.
import { plural } from '../../format';
import type { Deployment, ModelRow } from '../../live/types';

export interface ModelChoice {
  id: string;
  where: string;
}

export function where_it_runs(row: ModelRow, deployments: readonly Deployment[]): string {
  const chain = deployments.find((one) => one.model === row.id && one.state !== 'leaving');
  if (chain && chain.stages.length > 1) return `over ${plural(chain.stages.length, 'machine')}`;
  const others = plural(row.nodes, 'machine');
  switch (row.here) {
    case 'ready':
      return row.nodes > 0 ? `here and on ${others}` : 'here';
    case 'standby':
      return row.nodes > 0 ? `on ${others}, here when asked` : 'here, starts when asked';
    case 'loading':
      return row.nodes > 0 ? `on ${others}, loading here` : `loading, ${Math.round(row.progress * 100)} %`;
    case 'waiting':
      return row.nodes > 0 ? `on ${others}` : 'waits for machines';
    default:
      return `on ${others}`;
  }
}

export function can_be_asked(row: ModelRow): boolean {
  return row.nodes > 0 || ['ready', 'standby', 'loading', 'waiting'].includes(row.here);
}

export function is_ready(row: ModelRow): boolean {
  return row.nodes > 0 || row.here === 'ready';
}

export function choices(models: readonly ModelRow[], deployments: readonly Deployment[]): ModelChoice[] {
  return models
    .filter(can_be_asked)
    .map((row) => ({ row, where: where_it_runs(row, deployments) }))
    .sort((a, b) => Number(is_ready(b.row)) - Number(is_ready(a.row)) || a.row.id.localeCompare(b.row.id))
    .map(({ row, where }) => ({ id: row.id, where }));
}
