// What opens the node for this page: an API key that the person gave, or a token that the node gives to pages of a browser
// on its own machine. Neither is ever written into an address; a key is kept for this tab alone.
import { signal } from '@preact/signals';

const key_slot = 'starling.key';

function stored_key(): string {
  try {
    return sessionStorage.getItem(key_slot) ?? '';
  } catch {
    return '';
  }
}

/// The API key; empty: none.
export const api_key = signal(stored_key());

/// The node asks for a key and has not been given a right one.
export const key_wanted = signal(false);

/// Why the key that was given does not open the node, in the node's words; empty: none was given.
export const key_fault = signal('');

/// Why this page may only look; empty: it may change things, or it is not known yet.
export const read_only_reason = signal('');

let token = '';

export function bearer(): string {
  return api_key.value || token;
}

export function use_key(key: string): void {
  api_key.value = key;
  key_wanted.value = false;
  try {
    sessionStorage.setItem(key_slot, key);
  } catch {
    // It lasts until the page is closed.
  }
}

/// The node has answered that it wants a key, or another one.
export function ask_for_key(sentence: string): void {
  key_fault.value = api_key.value ? sentence : '';
  key_wanted.value = true;
}

/// Asks the node for a token, where no key is in use. Never throws: without one this page can still look.
export async function begin_session(): Promise<void> {
  if (api_key.value) return;
  try {
    const answer = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const body = (await answer.json()) as { token?: string; error?: { message?: string } };
    token = body.token ?? '';
    read_only_reason.value = token ? '' : (body.error?.message ?? 'The node lets this page only look.');
  } catch {
    token = '';
  }
}
