import { PageHead } from '../../ui/parts';

export function ModelsPage() {
  return <PageHead title="Models" />;
}
