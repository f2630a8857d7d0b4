import { PageHead } from '../../ui/parts';

export function ChatPage() {
  return <PageHead title="Chat" />;
}
