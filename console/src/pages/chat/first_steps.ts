// The three steps of a new node: which are done, and whether they are still to be shown.
import { computed, signal } from '@preact/signals';
import { models, peers } from '../../live/live';
import type { ModelRow, Peer } from '../../live/types';
import { can_be_asked } from './model_choice';

const slot = 'starling.first_steps';
export const starter = 'starter';

export interface Steps {
  answered: boolean;
  own_model: boolean;
  second_machine: boolean;
}

/// Pure.
export function own_model_is_here(rows: readonly ModelRow[]): boolean {
  return rows.some((row) => row.id !== starter && (can_be_asked(row) || row.here === 'on_disk'));
}

/// Pure. A suspect machine is still one.
export function second_machine_is_here(known: Iterable<Peer>): boolean {
  return [...known].filter((one) => one.state === 'alive' || one.state === 'suspect').length > 1;
}

function stored(): string {
  try {
    return localStorage.getItem(slot) ?? '';
  } catch {
    return '';
  }
}

function store(value: string): void {
  try {
    localStorage.setItem(slot, value);
  } catch {
    // It lasts until the page is closed.
  }
}

const answered = signal(stored() === 'answered');
const dismissed = signal(stored() === 'dismissed');

export function note_answer(): void {
  if (answered.peek() || dismissed.peek()) return;
  answered.value = true;
  store('answered');
}

export function dismiss(): void {
  dismissed.value = true;
  store('dismissed');
}

export const steps = computed<Steps>(() => ({
  answered: answered.value,
  own_model: own_model_is_here(models.value),
  second_machine: second_machine_is_here(peers.value.values()),
}));

export const steps_wanted = computed(() => !dismissed.value && Object.values(steps.value).some((done) => !done));
