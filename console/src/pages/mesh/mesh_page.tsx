import { PageHead } from '../../ui/parts';

export function MeshPage() {
  return <PageHead title="Mesh" />;
}
