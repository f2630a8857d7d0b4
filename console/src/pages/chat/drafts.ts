// What is written and attached for questions that are not sent yet: for each conversation its own, in memory.
import { type Signal, signal } from '@preact/signals';
import { take_files } from './attachments';
import type { Attachment } from './types';

export interface Draft {
  readonly text: Signal<string>;
  readonly attached: Signal<readonly Attachment[]>;
  readonly refused: Signal<readonly string[]>; // why files were not taken
}

const drafts = new Map<string, Draft>();
const reading = new WeakMap<Draft, Promise<void>>(); // files, one lot after the other

export function draft_of(id: string): Draft {
  let draft = drafts.get(id);
  if (!draft) drafts.set(id, (draft = { text: signal(''), attached: signal([]), refused: signal([]) }));
  return draft;
}

export function is_begun(id: string): boolean {
  const { text, attached } = draft_of(id);
  return text.peek().trim() !== '' || attached.peek().length > 0;
}

/// It was sent, or its conversation is gone.
export function empty_draft(id: string): void {
  const { text, attached, refused } = draft_of(id);
  text.value = '';
  attached.value = [];
  refused.value = [];
}

export function move_draft(from: string, to: string): void {
  const [before, after] = [draft_of(from), draft_of(to)];
  after.text.value = before.text.peek();
  after.attached.value = before.attached.peek();
  empty_draft(from);
}

/// Reading takes its time: the files go to the conversation that they were given to, and none takes the place of another.
export function attach(id: string, files: readonly File[]): Promise<void> {
  const draft = draft_of(id);
  const taken = (reading.get(draft) ?? Promise.resolve()).then(async () => {
    const { attachments, refused } = await take_files(files, draft.attached.peek());
    draft.attached.value = [...draft.attached.peek(), ...attachments];
    draft.refused.value = refused;
  });
  reading.set(draft, taken);
  return taken;
}

export function detach(id: string, index: number): void {
  const { attached } = draft_of(id);
  attached.value = attached.peek().filter((_, at) => at !== index);
}
