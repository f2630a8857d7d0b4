// The conversations of this browser, as signals. One is current; those that were opened stay in memory. Other tabs may have
// them too: what one of them has written is taken over here, but for what this tab itself is answering.
import { type Signal, batch, computed, effect, signal } from '@preact/signals';
import { tell, tell_error } from '../../ui/toast';
import { empty_draft, is_begun, move_draft } from './drafts';
import { merged, with_known } from './merge';
import { type Kept, type Store, open_store } from './store';
import { elsewhere, is_written_here, join_tabs, tell_kept, tell_others } from './tabs';
import { type Conversation, type Entry, type Message, type Settings, automatic, new_conversation } from './types';

const model_slot = 'starling.model';

export const entries = signal<readonly Entry[]>([]);
export const ready = signal(false); // the list has been read
export const lasting = signal(true); // conversations outlive the page

interface Opened {
  readonly shown: Signal<Conversation>;
  base: Kept | null; // what the store had when this tab last read or wrote it; null: nothing yet
  turn: Promise<unknown>; // reading and writing, one after the other
}

const opened = new Map<string, Opened>();
const draft = signal<Conversation>(new_conversation(chosen_model()));
const current_id = signal<string | null>(null);
let wished: string | null = null; // what was last asked for; reading it takes a moment

/// The draft until its first question.
export const current = computed<Conversation>(() => (current_id.value ? opened.get(current_id.value)?.shown.value : undefined) ?? draft.value);

let opening: Promise<Store> | undefined;

function store(): Promise<Store> {
  return (opening ??= open_store(() => (opening = undefined)));
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
  if (kept.lasting) follow_other_tabs();
}

function follow_other_tabs(): void {
  join_tabs(
    (entry) => {
      const listed = entries.peek().find((one) => one.id === entry.id);
      if (!listed) void list_anew(); // a new one; or one that was deleted a moment ago
      else if (listed.title !== entry.title || listed.updated !== entry.updated) entries.value = list_with(entry);
      look_again(entry.id);
    },
    () => {
      void list_anew();
      for (const id of opened.keys()) look_again(id);
    },
  );
  let before = elsewhere.peek();
  effect(() => {
    const now = elsewhere.value;
    const changed = [...before, ...now].filter((id) => before.has(id) !== now.has(id));
    before = now;
    for (const id of changed) look_again(id);
  });
}

async function list_anew(): Promise<void> {
  try {
    const listed = await (await store()).list();
    const others = [...opened.values()].filter((one) => !one.base).map((one) => one.shown.peek()); // on their way there
    entries.value = others.reduce((list, one) => list_with(one, list), listed);
  } catch {
    // It stays as it is.
  }
}

/// What is "streaming" in the store and comes from nobody has ended with its page.
function as_found(conversation: Conversation): Conversation {
  const { id } = conversation;
  if (elsewhere.peek().has(id) || is_written_here(id)) return conversation;
  const mend = (message: Message): Message =>
    message.role === 'assistant' && message.state === 'streaming'
      ? { ...message, state: message.text || message.thinking ? 'cut' : 'failed', error: 'The page was closed before the answer had ended.' }
      : message;
  return { ...conversation, messages: conversation.messages.map(mend) };
}

export async function open(id: string): Promise<void> {
  wished = id;
  if (!opened.has(id)) {
    const found = await (await store()).get(id);
    if (!found) entries.value = entries.peek().filter((one) => one.id !== id);
    if (found && !opened.has(id)) {
      const conversation = as_found(found.conversation);
      opened.set(id, { shown: signal(conversation), base: { ...found, conversation }, turn: Promise.resolve() });
    }
    if (!opened.has(id)) return;
  }
  if (wished === id) current_id.value = id;
}

/// One that was begun and not sent yet is gone on with.
export function new_chat(): void {
  if (!is_begun(draft.peek().id)) draft.value = new_conversation(current.peek().model);
  wished = null;
  current_id.value = null;
}

/// The current one of that id, for those who change it over time.
export function look(id: string): Conversation | undefined {
  return opened.get(id)?.shown.peek() ?? (draft.peek().id === id ? draft.peek() : undefined);
}

function list_with({ id, title, updated }: Entry, list: readonly Entry[] = entries.peek()): Entry[] {
  return [{ id, title, updated }, ...list.filter((one) => one.id !== id)].sort((a, b) => b.updated - a.updated);
}

function list_if_changed(conversation: Conversation): void {
  const listed = entries.peek().find((one) => one.id === conversation.id);
  if (listed?.title !== conversation.title || listed.updated !== conversation.updated) entries.value = list_with(conversation);
}

function in_turn(one: Opened, what: () => Promise<void>): Promise<void> {
  const done = one.turn.then(what);
  one.turn = done.catch(() => undefined);
  return done;
}

function take_over(one: Opened, found: Kept): void {
  const base = one.base?.conversation ?? found.conversation;
  const theirs = with_known(as_found(found.conversation), base);
  one.shown.value = merged(base, one.shown.peek(), theirs);
  one.base = { ...found, conversation: theirs };
  list_if_changed(one.shown.peek());
}

/// Another tab has deleted it.
function drop(id: string): void {
  if (current_id.peek() === id) {
    new_chat();
    if (!is_begun(draft.peek().id)) move_draft(id, draft.peek().id); // nobody has deleted what is being written here
    tell('This conversation was deleted in another tab.');
  }
  opened.delete(id);
  empty_draft(id);
  entries.value = entries.peek().filter((one) => one.id !== id);
}

/// Another tab may have written it. While this one is answering, its own version counts, until it writes it itself.
export function look_again(id: string): void {
  const one = opened.get(id);
  const is_ours = () => opened.get(id) !== one || is_written_here(id);
  if (!one || is_ours()) return;
  void in_turn(one, async () => {
    const found = await (await store()).get(id);
    if (is_ours()) return;
    if (found) take_over(one, found);
    else if (one.base) drop(id);
  }).catch(() => undefined); // a storage that fails is told of where it loses something
}

async function write(id: string, one: Opened): Promise<void> {
  const kept = await store();
  while (opened.get(id) === one) {
    const mine = one.shown.peek();
    const written = await kept.put(mine, one.base?.revision);
    if ('revision' in written) {
      one.base = { conversation: mine, revision: written.revision };
      return tell_kept({ id, title: mine.title, updated: mine.updated });
    }
    if (!written.found) return drop(id);
    take_over(one, written.found);
  }
}

/// Never throws.
export async function keep(id: string): Promise<void> {
  const one = opened.get(id);
  if (one) await in_turn(one, () => write(id, one)).catch(tell_not_kept);
}

function tell_not_kept(error: unknown): void {
  const full = error instanceof Error && error.name === 'QuotaExceededError';
  const why = full ? 'This browser has no room left for conversations' : 'This browser does not let the page keep conversations';
  tell_error(`${why}: what is new in them goes when the page is closed. Export what you need${full ? ', or delete others' : ''}.`);
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
  if (at) at.shown.value = after;
  else {
    batch(() => {
      opened.set(id, { shown: signal(after), base: null, turn: Promise.resolve() });
      current_id.value = id;
      wished = id;
      draft.value = new_conversation(after.model);
    });
  }
  list_if_changed(after);
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
  tell_others();
}

export async function remove_all(): Promise<void> {
  new_chat();
  opened.clear();
  await (await store()).clear();
  entries.value = [];
  tell_others();
}

export async function all_conversations(): Promise<Conversation[]> {
  return (await store()).all();
}

/// Conversations of a file; one that is here already is replaced.
export async function add_all(found: readonly Conversation[]): Promise<void> {
  const kept = await store();
  for (const conversation of found) {
    const written = await kept.put(conversation);
    const at = opened.get(conversation.id);
    if (at && 'revision' in written) {
      at.shown.value = conversation;
      at.base = { conversation, ...written };
    }
  }
  await list_anew();
  tell_others();
}
