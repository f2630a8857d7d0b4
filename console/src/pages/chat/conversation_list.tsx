// Every conversation of this browser, and what can be done with all of them.
import { SquarePen } from 'lucide-preact';
import { useRef, useState } from 'preact/hooks';
import { ago, plural } from '../../format';
import { Dialog } from '../../ui/dialog';
import { tell, tell_error } from '../../ui/toast';
import { running, stop } from './ask';
import { add_all, all_conversations, current, entries, new_chat, open, remove_all } from './chats';
import { as_json, from_json, max_import_bytes, save_file } from './export';
import { Menu } from './menu';
import './conversation_list.css';

async function export_all(): Promise<void> {
  try {
    save_file('starling-conversations.json', as_json(await all_conversations()), 'application/json');
  } catch (error) {
    tell_error(error);
  }
}

async function import_file(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    if (file.size > max_import_bytes) throw new Error('This file is larger than 64 MB.');
    const found = from_json(await file.text());
    await add_all(found);
    tell(`${plural(found.length, 'conversation')} imported.`);
  } catch (error) {
    tell_error(error);
  }
}

function DeleteAll({ open: is_open, onClose }: { open: boolean; onClose: () => void }) {
  const go = async () => {
    for (const id of running.peek()) stop(id);
    onClose();
    await remove_all().then(() => tell('All conversations are deleted.'), tell_error);
  };
  return (
    <Dialog
      open={is_open}
      title={`Delete ${entries.value.length === 1 ? 'the conversation' : `all ${entries.value.length} conversations`}?`}
      onClose={onClose}
      actions={
        <>
          <button type="button" class="secondary" onClick={onClose}>
            Keep
          </button>
          <button type="button" class="danger" onClick={() => void go()}>
            Delete
          </button>
        </>
      }
    >
      <p>They are in this browser alone, and cannot be brought back.</p>
    </Dialog>
  );
}

const shown_at_first = 300; // more are looked for far down

export function ConversationList({ onChosen }: { onChosen?: () => void }) {
  const picker = useRef<HTMLInputElement>(null);
  const [deleting, set_deleting] = useState(false);
  const [shown, set_shown] = useState(shown_at_first);
  const hidden = entries.value.length - shown;
  const chosen = current.value.id;
  return (
    <>
      <div class="list-head">
        <button
          type="button"
          class="outline new-chat"
          onClick={() => {
            new_chat();
            onChosen?.();
          }}
        >
          <SquarePen size={17} aria-hidden="true" />
          New
        </button>
        <Menu label="All conversations">
          <button type="button" onClick={() => void export_all()} disabled={entries.value.length === 0}>
            Export all as JSON
          </button>
          <button type="button" onClick={() => picker.current?.click()}>
            Import JSON…
          </button>
          <button type="button" class="bad" onClick={() => set_deleting(true)} disabled={entries.value.length === 0}>
            Delete all…
          </button>
        </Menu>
        <input
          ref={picker}
          type="file"
          accept="application/json,.json"
          hidden
          aria-label="Conversations as JSON"
          onChange={(event) => {
            void import_file(event.currentTarget.files?.[0]);
            event.currentTarget.value = '';
          }}
        />
      </div>
      {entries.value.length === 0 ? (
        <p class="muted list-empty">Conversations are kept in this browser, nowhere else.</p>
      ) : (
        <ul class="list">
          {entries.value.slice(0, shown).map((one) => (
            <li key={one.id}>
              <button
                type="button"
                class="plain"
                aria-current={one.id === chosen ? 'true' : undefined}
                onClick={() => {
                  void open(one.id).catch(tell_error);
                  onChosen?.();
                }}
              >
                <span>{one.title}</span>
                <small>{running.value.has(one.id) ? 'answering' : ago((Date.now() - one.updated) / 1000)}</small>
              </button>
            </li>
          ))}
          {hidden > 0 && (
            <li>
              <button type="button" class="plain" onClick={() => set_shown(shown + 1_000)}>
                <span>Show older</span>
                <small>{plural(hidden, 'conversation')}</small>
              </button>
            </li>
          )}
        </ul>
      )}
      <DeleteAll open={deleting} onClose={() => set_deleting(false)} />
    </>
  );
}

export function ConversationDrawer({ open: is_open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={is_open} title="Conversations" onClose={onClose}>
      <div class="drawer">
        <ConversationList onChosen={onClose} />
      </div>
    </Dialog>
  );
}
