import { PageHead } from '../../ui/parts';

export function SharePage() {
  return <PageHead title="Share" />;
}
