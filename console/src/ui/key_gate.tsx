// Asks for an API key where the node wants one. It is kept for this tab.
import { useState } from 'preact/hooks';
import { key_fault, key_wanted, use_key } from '../api/access';
import { reconnect } from '../live/live';
import { Dialog } from './dialog';

export function KeyGate() {
  const [key, set_key] = useState('');
  const enter = (event: Event) => {
    event.preventDefault();
    if (!key.trim()) return;
    if (!/^[!-~]+$/.test(key.trim())) {
      key_fault.value = 'This is no API key: it has a character that none can have. Copy it once more from the file.';
      return;
    }
    use_key(key.trim());
    set_key('');
    reconnect();
  };
  return (
    <Dialog open={key_wanted.value} title="This node asks for an API key" onClose={() => (key_wanted.value = false)}>
      <form onSubmit={enter}>
        <label>
          API key
          <input
            type="password"
            autocomplete="off"
            value={key}
            onInput={(event) => set_key(event.currentTarget.value)}
            aria-describedby={key_fault.value ? 'key-fault key-hint' : 'key-hint'}
            {...(key_fault.value ? { 'aria-invalid': true } : {})}
          />
        </label>
        {key_fault.value && (
          <p id="key-fault" class="wrong" role="alert">
            {key_fault.value}
          </p>
        )}
        <p id="key-hint">
          One line of the file that the node was started with (<code>--api-key-file</code>). It is kept in this tab alone.
        </p>
        <button type="submit">Open</button>
      </form>
    </Dialog>
  );
}
