// An invite is one word: "starling:" and base64url (src/admission/invite.cpp). What it says is read here only to tell
// people which command fits; whether it is good is for the node that wrote it. Pure.

export type Role = 'worker' | 'client';

export interface InviteFacts {
  mesh_id: string;
  role: Role;
  expires_unix_s: number;
}

/// Only what a shell takes as one plain word: a link may come from anybody, and its word stands in a command to copy.
const plain_word = /^starling[:-][A-Za-z0-9_-]{16,2048}$/;

/// The invite without white space around it; empty: it is none.
export function clean_invite(text: string): string {
  const word = text.trim();
  return plain_word.test(word) ? word : '';
}

const mark = 1; // the first byte: form and version
const id_bytes = 32;
const role_at = 1 + 2 * id_bytes;
const expires_at = role_at + 1;

function bytes_of(base64url: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
  } catch {
    return null;
  }
}

export function invite_facts(invite: string): InviteFacts | null {
  if (!invite.startsWith('starling:')) return null;
  const bytes = bytes_of(invite.slice('starling:'.length));
  if (!bytes || bytes.length < expires_at + 8 || bytes[0] !== mark) return null;
  const role = bytes[role_at];
  if (role !== 1 && role !== 2) return null;
  const expires = new DataView(bytes.buffer).getBigUint64(expires_at);
  return {
    mesh_id: Array.from(bytes.subarray(1, 1 + id_bytes), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    role: role === 1 ? 'worker' : 'client',
    expires_unix_s: Number(expires),
  };
}

export function join_command(invite: string, role: Role): string {
  return `starling ${role === 'worker' ? 'serve' : 'client'} --join ${invite}`;
}

/// The invite stands after #, so that it reaches no server.
export function invite_link(invite: string, page: { origin: string; pathname: string }): string {
  return `${page.origin}${page.pathname}#/share?join=${encodeURIComponent(invite).replace('%3A', ':')}`;
}

export function until_words(expires_unix_s: number): string {
  return new Date(expires_unix_s * 1000).toLocaleString([], { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' });
}
