import { PageHead } from '../../ui/parts';

export function HealthPage() {
  return <PageHead title="Health" />;
}
