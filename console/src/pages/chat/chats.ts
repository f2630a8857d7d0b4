// The conversations of this browser, as signals. One is current; those that were opened stay in memory.
import { type Signal, batch, computed, signal } from '@preact/signals';
import { tell_error } from '../../ui/toast';
import { empty_draft, is_begun } from './drafts';
import { type Store, open_store } from './store';
import { type Conversation, type Entry, type Message, type Settings, automatic, new_conversation } from './types';

const model_slot = 'starling.model';

export const entries = signal<readonly Entry[]>([]);
export const ready = signal(false); // the list has been read
export const lasting = signal(true); // conversations outlive the page

const opened = new Map<string, Signal<Conversation>>();
const draft = signal<Conversation>(new_conversation(chosen_model()));
const current_id = signal<string | null>(null);

/// The draft until its first question.
export const current = computed<Conversation>(() => (current_id.value ? opened.get(current_id.value)?.value : undefined) ?? draft.value);

let opening: Promise<Store> | undefined;

function store(): Promise<Store> {
  return (opening ??= open_store());
}

function chosen_model(): string {
  try {
    return localStorage.getItem(model_slot) || automatic;
  } catch {
    return automatic;
  }
}

export async function begin(): Promise<void> {
  const kept = await store();
  lasting.value = kept.lasting;
  try {
    entries.value = await kept.list();
  } catch (error) {
    tell_error(error);
  }
  ready.value = true;
}

/// Only one page at a time can have been writing: what is "streaming" in the store ended with that page.
function as_found(conversation: Conversation): Conversation {
  const mend = (message: Message): Message =>
    message.role === 'assistant' && message.state === 'streaming'
      ? { ...message, state: message.text || message.thinking ? 'cut' : 'failed', error: 'The page was closed before the answer had ended.' }
      : message;
  return { ...conversation, messages: conversation.messages.map(mend) };
}

export async function open(id: string): Promise<void> {
  if (!opened.has(id)) {
    const found = await (await store()).get(id);
    if (!found) return;
    if (!opened.has(id)) opened.set(id, signal(as_found(found)));
  }
  current_id.value = id;
}

/// One that was begun and not sent yet is gone on with.
export function new_chat(): void {
  if (!is_begun(draft.peek().id)) draft.value = new_conversation(current.peek().model);
  current_id.value = null;
}

/// The current one of that id, for those who change it over time.
export function look(id: string): Conversation | undefined {
  return opened.get(id)?.peek() ?? (draft.peek().id === id ? draft.peek() : undefined);
}

function list_with(conversation: Conversation): Entry[] {
  const { id, title, updated } = conversation;
  return [{ id, title, updated }, ...entries.peek().filter((one) => one.id !== id)].sort((a, b) => b.updated - a.updated);
}

export async function keep(id: string): Promise<void> {
  const conversation = look(id);
  if (!conversation || !opened.has(id)) return;
  try {
    await (await store()).put(conversation);
  } catch (error) {
    tell_error(error);
  }
}

/// Changes what is shown; `keep` writes it.
export function change(id: string, how: (before: Conversation) => Conversation): void {
  const before = look(id);
  if (!before) return;
  const after = how(before);
  if (!opened.has(id) && after.messages.length === 0) {
    draft.value = after;
    return;
  }
  const at = opened.get(id);
  if (at) at.value = after;
  else {
    batch(() => {
      opened.set(id, signal(after));
      current_id.value = id;
      draft.value = new_conversation(after.model);
    });
  }
  const listed = entries.peek().find((one) => one.id === id);
  if (listed?.title !== after.title || listed.updated !== after.updated) entries.value = list_with(after);
}

export function rename(id: string, title: string): void {
  change(id, (before) => ({ ...before, title }));
  void keep(id);
}

export function choose_model(id: string, model: string): void {
  change(id, (before) => ({ ...before, model }));
  void keep(id);
  try {
    localStorage.setItem(model_slot, model);
  } catch {
    // It lasts until the page is closed.
  }
}

export function change_settings(id: string, settings: Settings): void {
  change(id, (before) => ({ ...before, settings }));
  void keep(id);
}

/// First from memory: an answer that is just ending must not be kept after it. From the list last: what is not listed any
/// more is gone, also where the page is closed at that moment.
export async function remove(id: string): Promise<void> {
  if (current_id.peek() === id) new_chat();
  opened.delete(id);
  empty_draft(id);
  await (await store()).remove(id);
  entries.value = entries.peek().filter((one) => one.id !== id);
}

export async function remove_all(): Promise<void> {
  new_chat();
  opened.clear();
  await (await store()).clear();
  entries.value = [];
}

export async function all_conversations(): Promise<Conversation[]> {
  return (await store()).all();
}

/// Conversations of a file; one that is here already is replaced.
export async function add_all(found: readonly Conversation[]): Promise<void> {
  const kept = await store();
  for (const conversation of found) {
    await kept.put(conversation);
    const at = opened.get(conversation.id);
    if (at) at.value = as_found(conversation);
  }
  entries.value = await kept.list();
}
