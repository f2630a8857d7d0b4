import { PageHead } from '../../ui/parts';

export function NodePage({ node_id }: { node_id: string }) {
  return <PageHead title={node_id} />;
}
