// What the switch means now, in plain words. Pure.
import { bytes } from '../../format';
import type { Sharing } from '../../live/types';

export interface SharingWords {
  state: string; // two or three words
  text: string;
}

/// May anybody outside this machine connect to it?
function can_be_let_in(sharing: Sharing): boolean {
  return !sharing.fixed.includes('reachable');
}

export function sharing_words(sharing: Sharing, restarting: boolean, is_client = false): SharingWords {
  if (restarting) {
    return { state: 'Restarting', text: 'Starling restarts itself for this change. This page goes on by itself in a few seconds.' };
  }
  if (!sharing.in_mesh) {
    return {
      state: 'In no mesh',
      text: 'This computer is in no mesh, so there is nobody to share with. Start Starling with `starling serve` to begin one, or with an invite to join one.',
    };
  }
  if (is_client) {
    return {
      state: 'Client',
      text: 'Starling was started as a client here: this computer uses the models of the others, and has none to share. Start it with `starling serve` to share.',
    };
  }
  if (!sharing.sharing) {
    return {
      state: 'Off',
      text: sharing.reachable
        ? 'Others get nothing from this computer: it answers none of their questions and holds no part of their models. They can still connect to it, and you can still use their models.'
        : 'Others get nothing from this computer: it answers none of their questions and holds no part of their models. You can still use theirs.',
    };
  }
  if (sharing.reachable) {
    return {
      state: 'On',
      text:
        sharing.who === 'invite_or_ask'
          ? 'The machines of your mesh use the models of this computer. Others on the local network may ask to join, and get nothing until you have said yes.'
          : 'The machines of your mesh use the models of this computer. A machine without an invite gets nothing.',
    };
  }
  return {
    state: 'On, within limits',
    text: can_be_let_in(sharing)
      ? 'Shared with the machines that this computer connects to by itself. No other machine can connect to it yet, so nobody new can join here.'
      : 'Shared with the machines that this computer connects to by itself. No other machine can connect to it, because Starling was started that way (--peer-bind).',
  };
}

/// Turning it on makes the node restart, where nobody could connect so far.
export function wish_to_share(sharing: Sharing): { sharing: true; reachable?: true } {
  return can_be_let_in(sharing) ? { sharing: true, reachable: true } : { sharing: true };
}

export function restarts_to_share(sharing: Sharing): boolean {
  return can_be_let_in(sharing) && !sharing.reachable;
}

function short_bytes(count: number): string {
  return bytes(count).replace('.0 ', ' ');
}

export function memory_words(lent: number, total: number): string {
  return `${short_bytes(lent)} of ${short_bytes(total)}`;
}

/// Steps that a hand can hit: a hundredth or so of what is there, in round numbers.
export function memory_step(total: number): number {
  return total >= 32e9 ? 1e9 : total >= 8e9 ? 5e8 : 1e8;
}

export function fixed_words(what: 'memory' | 'who'): string {
  return what === 'memory'
    ? 'It was set when Starling was started (--memory), and can be changed only there.'
    : 'It was set when Starling was started (--lan), and can be changed only there.';
}
