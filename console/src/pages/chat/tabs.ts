// What the tabs of one browser tell each other of the conversations that they share. That something was told is only a hint
// to look: what counts is what the store has.
import { signal } from '@preact/signals';
import { type Entry, new_id } from './types';

type Told =
  | { kind: 'kept'; entry: Entry }
  | { kind: 'others' } // some were deleted, or came from a file
  | { kind: 'answering'; from: string; ids: string[] } // all that the tab answers; again while it does
  | { kind: 'who' } // answers? asked by a tab that is new
  | { kind: 'stop'; id: string };

const name = 'starling.conversations';
const lease_ms = 70_000; // of a tab that ended without a word; timers of a hidden one may rest for a minute

/// Conversations that other tabs are answering.
export const elsewhere = signal<ReadonlySet<string>>(new Set());

const self = new_id();
const answering = new Set<string>(); // by this tab, until the answer is kept
const leases = new Map<string, { ids: readonly string[]; end: ReturnType<typeof setTimeout> }>();
let channel: BroadcastChannel | undefined;

export const is_written_here = (id: string): boolean => answering.has(id);

function tell(told: Told): void {
  channel?.postMessage(told);
}

export const tell_kept = (entry: Entry): void => tell({ kind: 'kept', entry });
export const tell_others = (): void => tell({ kind: 'others' });
export const tell_stop = (id: string): void => tell({ kind: 'stop', id });
export const tell_answering = (): void => tell({ kind: 'answering', from: self, ids: [...answering] });

export function set_answering(id: string, on: boolean): void {
  if (on) answering.add(id);
  else answering.delete(id);
  tell_answering();
}

function note(from: string, ids: readonly string[]): void {
  clearTimeout(leases.get(from)?.end);
  leases.delete(from);
  if (ids.length > 0) leases.set(from, { ids, end: setTimeout(() => note(from, []), lease_ms) });
  const now = new Set([...leases.values()].flatMap((one) => one.ids));
  const before = elsewhere.peek();
  if (now.size !== before.size || [...now].some((id) => !before.has(id))) elsewhere.value = now;
}

let stop_here: (id: string) => void = () => undefined;

/// What stops an answer of this tab that another one wishes to end.
export function when_stopped(stop: (id: string) => void): void {
  stop_here = stop;
}

/// Only where the tabs do share conversations.
export function join_tabs(on_kept: (entry: Entry) => void, on_others: () => void): void {
  if (channel || typeof BroadcastChannel === 'undefined') return;
  channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.kind === 'kept') on_kept(data.entry);
    else if (data.kind === 'others') on_others();
    else if (data.kind === 'answering') note(data.from, data.ids);
    else if (data.kind === 'stop') stop_here(data.id);
    else if (data.kind === 'who' && answering.size > 0) tell_answering();
  };
  tell({ kind: 'who' });
  globalThis.addEventListener?.('pagehide', () => {
    answering.clear();
    tell_answering();
  });
}
