// What can be done with the conversation that is shown.
import { useState } from 'preact/hooks';
import { Dialog } from '../../ui/dialog';
import { tell, tell_error } from '../../ui/toast';
import { stop } from './ask';
import { remove, rename } from './chats';
import { as_json, as_markdown, file_name, save_file } from './export';
import { Menu } from './menu';
import type { Conversation } from './types';

type Asking = 'rename' | 'delete' | null;

function Rename({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const [title, set_title] = useState(conversation.title);
  const go = (event: Event) => {
    event.preventDefault();
    if (!title.trim()) return;
    rename(conversation.id, title.trim());
    onClose();
  };
  return (
    <Dialog open title="Rename the conversation" onClose={onClose}>
      <form onSubmit={go}>
        <label>
          Name
          <input value={title} maxLength={200} onInput={(event) => set_title(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={!title.trim()}>
          Rename
        </button>
      </form>
    </Dialog>
  );
}

function Delete({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const go = () => {
    stop(conversation.id);
    onClose();
    remove(conversation.id).then(() => tell('The conversation is deleted.'), tell_error);
  };
  return (
    <Dialog
      open
      title="Delete this conversation?"
      onClose={onClose}
      actions={
        <>
          <button type="button" class="secondary" onClick={onClose}>
            Keep
          </button>
          <button type="button" class="danger" onClick={go}>
            Delete
          </button>
        </>
      }
    >
      <p>“{conversation.title}” is in this browser alone, and cannot be brought back.</p>
    </Dialog>
  );
}

export function ConversationMenu({ conversation }: { conversation: Conversation }) {
  const [asking, set_asking] = useState<Asking>(null);
  const close = () => set_asking(null);
  const save_markdown = () => save_file(file_name(conversation, 'md'), as_markdown(conversation), 'text/markdown');
  const save_json = () => save_file(file_name(conversation, 'json'), as_json([conversation]), 'application/json');
  return (
    <>
      <Menu label="This conversation">
        <button type="button" onClick={() => set_asking('rename')}>
          Rename…
        </button>
        <button type="button" onClick={save_markdown}>
          Export as Markdown
        </button>
        <button type="button" onClick={save_json}>
          Export as JSON
        </button>
        <button type="button" class="bad" onClick={() => set_asking('delete')}>
          Delete…
        </button>
      </Menu>
      {asking === 'rename' && <Rename conversation={conversation} onClose={close} />}
      {asking === 'delete' && <Delete conversation={conversation} onClose={close} />}
    </>
  );
}
