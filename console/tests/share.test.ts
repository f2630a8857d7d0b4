import { describe, expect, it } from 'vitest';
import type { Peer, Sharing } from '../src/live/types';
import { clean_invite, invite_facts, invite_link, join_command } from '../src/pages/share/invite_words';
import { members_of } from '../src/pages/share/members';
import { qr_path } from '../src/pages/share/qr_code';
import { memory_step, memory_words, restarts_to_share, sharing_words, wish_to_share } from '../src/pages/share/sharing_words';
import { place_parameter } from '../src/ui/hash_place';

const now = (fields: Partial<Sharing>): Sharing => ({
  in_mesh: true, sharing: true, reachable: true, listens: '0.0.0.0:9338', who: 'invite', may_invite: true, memory_bytes: 8e9, memory_total_bytes: 16e9,
  fixed: [], ...fields,
});

describe('what the switch means', () => {
  it('has a sentence of its own for every case', () => {
    const texts = [
      sharing_words(now({}), true),
      sharing_words(now({ in_mesh: false }), false),
      sharing_words(now({ sharing: false }), false),
      sharing_words(now({ sharing: false, reachable: false }), false),
      sharing_words(now({}), false),
      sharing_words(now({ who: 'invite_or_ask' }), false),
      sharing_words(now({ reachable: false }), false),
      sharing_words(now({ reachable: false, fixed: ['reachable'] }), false),
    ].map((words) => words.text);
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text.endsWith('.')).toBe(true);
  });

  it('never says that others get something while it is off', () => {
    for (const reachable of [true, false]) {
      for (const who of ['invite', 'invite_or_ask'] as const) {
        const { state, text } = sharing_words(now({ sharing: false, reachable, who }), false);
        expect(state).toBe('Off');
        expect(text).toContain('Others get nothing');
      }
    }
  });

  it('makes it reachable, where that was not decided at the start', () => {
    expect(wish_to_share(now({ sharing: false, reachable: false }))).toEqual({ sharing: true, reachable: true });
    expect(wish_to_share(now({ sharing: false, fixed: ['reachable'] }))).toEqual({ sharing: true });
    expect(restarts_to_share(now({ reachable: false }))).toBe(true);
    expect(restarts_to_share(now({ reachable: false, fixed: ['reachable'] }))).toBe(false);
    expect(restarts_to_share(now({}))).toBe(false);
  });

  it('says memory as people do', () => {
    expect(memory_words(8e9, 16e9)).toBe('8 GB of 16 GB');
    expect(memory_words(8.5e9, 16e9)).toBe('8.5 GB of 16 GB');
    expect(memory_step(16e9)).toBe(5e8);
  });
});

/// As src/admission/invite.cpp writes one; the check at its end is the node's business.
function written(role: number, expires_s: number): string {
  const bytes = new Uint8Array(1 + 32 + 32 + 1 + 8 + 16 + 1 + 4);
  bytes[0] = 1;
  bytes.fill(0xab, 1, 33);
  bytes[65] = role;
  new DataView(bytes.buffer).setBigUint64(66, BigInt(expires_s));
  return `starling:${btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

describe('an invite', () => {
  it('is read for its mesh, its role and its end', () => {
    const facts = invite_facts(written(2, 1_800_000_000));
    expect(facts).toEqual({ mesh_id: 'ab'.repeat(32), role: 'client', expires_unix_s: 1_800_000_000 });
    expect(join_command(written(1, 1), 'worker')).toMatch(/^starling serve --join starling:\S+$/);
    expect(join_command(written(2, 1), 'client')).toMatch(/^starling client --join starling:\S+$/);
  });

  it('is refused when it is cut, of another form, or no invite', () => {
    expect(invite_facts(written(1, 1).slice(0, 60))).toBeNull();
    expect(invite_facts(written(7, 1))).toBeNull();
    expect(invite_facts('starling:***')).toBeNull();
  });

  it('never brings anything but itself into a command', () => {
    for (const hostile of ['starling:abcdefghijklmnopqrstuvw; rm -rf ~', 'starling:$(touch /tmp/x)aaaaaaaaaaaaaaaa', 'starling:aaaaaaaaaaaaaaaaaaaa\nrm x', '--data-dir=/', '']) {
      expect(clean_invite(hostile)).toBe('');
    }
    const whole = written(1, 1);
    expect(clean_invite(`  ${whole}\n`)).toBe(whole);
  });

  it('comes through a link whole, after the #', () => {
    const whole = written(1, 1);
    const link = new URL(invite_link(whole, { origin: 'http://localhost:9337', pathname: '/' }));
    expect(link.search).toBe('');
    expect(place_parameter('join', link.hash)).toBe(whole);
    expect(place_parameter('join', '#/share')).toBe('');
  });
});

describe('members', () => {
  const peer = (node_id: string, name: string, state: Peer['state']): Peer => ({
    node_id, name, role: 'worker', state, rtt_ms: 1, path: 'direct', health: null, models: [], version: '1',
  });
  const all = [peer('00', 'desk', 'alive'), peer('01', 'attic', 'dead'), peer('02', 'lab', 'alive'), peer('a3', 'bar', 'alive')];

  it('are all but this machine, those that are there first', () => {
    expect(members_of(all, '00', '').map((one) => one.name)).toEqual(['bar', 'lab', 'attic']);
    expect(members_of(all, '00', 'AT').map((one) => one.name)).toEqual(['attic']);
    expect(members_of(all, '00', 'a3').map((one) => one.name)).toEqual(['bar']);
  });
});

describe('a QR code', () => {
  it('is drawn as runs of dark modules', () => {
    expect(qr_path([[true, true, false, true], [false, false, false, false]])).toBe('M0 0h2v1h-2zM3 0h1v1h-1z');
  });
});

it('a client is told that it has nothing to share', () => {
  expect(sharing_words(now({ sharing: false }), false, true).text).toContain('as a client');
});
