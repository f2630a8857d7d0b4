// One line that says why the buttons of a page do nothing, and asks the node once more.
import { begin_session, read_only_reason } from '../api/access';
import { hello, may_change, reconnect } from '../live/live';
import { Sentence } from './sentence';

export function ReadOnlyLine() {
  if (!hello.value || may_change.value) return null;
  const ask_again = async () => {
    await begin_session();
    reconnect();
  };
  return (
    <div class="read-only" role="note">
      <span>
        <strong>You can look, but change nothing here.</strong> <Sentence text={read_only_reason.value || 'The node lets this page only look.'} />
      </span>
      <button type="button" class="plain small" onClick={() => void ask_again()}>
        Ask again
      </button>
    </div>
  );
}
