// One line that says why the buttons of a page do nothing.
import { read_only_reason } from '../api/access';
import { hello, may_change } from '../live/live';

export function ReadOnlyLine() {
  if (!hello.value || may_change.value) return null;
  return (
    <p class="read-only" role="note">
      <strong>You can look, but change nothing here.</strong> {read_only_reason.value || 'The node lets this page only look.'}
    </p>
  );
}
