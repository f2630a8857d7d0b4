// What this page asks of the node. The answers are taken at once; the stream tells the same a moment later.
import { post } from '../../api/client';
import { take } from '../../live/live';
import { expect_restart } from '../../live/restart';
import type { Sharing } from '../../live/types';
import type { Role } from './invite_words';

export type SharingWish = Partial<Pick<Sharing, 'sharing' | 'reachable' | 'who' | 'memory_bytes'>>;

export interface WrittenInvite {
  invite: string;
  role: Role;
  expires_unix_s: number;
  addresses: string[];
  this_machine_only: boolean;
}

export async function change_sharing(wish: SharingWish): Promise<void> {
  const told = await post<Sharing>('/api/sharing', wish);
  if (told.restarting) expect_restart();
  take({ event: 'sharing', data: told });
}

export const write_invite = (role: Role, expires_s: number) => post<WrittenInvite>('/api/invites', { role, expires_s });
export const decide = (code: string, approve: boolean, role: Role) => post<unknown>('/api/requests', { code, approve, role });
export const confirm = (code: string, confirmed: boolean) => post<unknown>('/api/asking', { code, confirm: confirmed });
export const revoke = (node_id: string) => post<unknown>('/api/revocations', { node_id });
