import { describe, expect, it } from 'vitest';
import type { Deployment, Peer } from '../src/live/types';
import { filter_rows, keep_order, sort_rows, window_of } from '../src/pages/mesh/rows';
import { condition_of, health_parts, health_sentence, machine_sentence, mesh_summary } from '../src/pages/mesh/words';

const health = { score: 80, state: 'healthy', cpu: 20, memory: 30, queue: 100 } as const;

export const peer = (name: string, more: Partial<Peer> = {}): Peer => ({
  node_id: `id-${name}`,
  name,
  role: 'worker',
  state: 'alive',
  rtt_ms: 12,
  path: 'direct',
  health,
  models: ['starter'],
  version: '0.1.0',
  ...more,
});

const split = { model: 'big', stages: [{}, {}] } as unknown as Deployment;
const whole = { model: 'starter', stages: [{}] } as unknown as Deployment;

describe('sentences', () => {
  it('sum up the mesh', () => {
    expect(mesh_summary([peer('a')], [])).toBe('1 machine');
    expect(mesh_summary([peer('a'), peer('b'), peer('c', { state: 'dead' })], [split, whole])).toBe('2 machines, 1 lost, 1 model split');
  });
  it('tell of a machine what the picture shows', () => {
    expect(machine_sentence(peer('attic'))).toBe('attic, worker, healthy, 12 ms, direct, serves starter');
    expect(machine_sentence(peer('desk', { path: 'local', rtt_ms: 0, models: [] }))).toBe('desk, this machine, worker, healthy, serves nothing');
    expect(machine_sentence(peer('lab', { state: 'dead', health: null }))).toBe('lab, worker, lost, serves starter');
    expect(machine_sentence(peer('', { node_id: '0123456789', rtt_ms: null, path: 'relay' }))).toContain('01234567, worker, healthy, round trip not known, through a relay');
  });
  it('name a condition by what matters most', () => {
    expect(condition_of(peer('a', { state: 'suspect' }))).toBe('not answering');
    expect(condition_of(peer('a', { health: null }))).toBe('no report');
    expect(condition_of(peer('a', { state: 'dead', health: { ...health, state: 'overloaded' } }))).toBe('lost');
  });
  it('make up the score of its parts', () => {
    const parts = health_parts({ ...health, cpu: 90, memory: 50, queue: 25 });
    expect(parts.reduce((sum, part) => sum + part.points, 0)).toBeCloseTo(4 + 20 + 5);
    expect(health_sentence({ ...health, state: 'busy', cpu: 90 })).toContain('processor');
  });
});

describe('the table', () => {
  const rows = [peer('lab-10', { rtt_ms: 3 }), peer('lab-9', { rtt_ms: null }), peer('attic', { rtt_ms: 40, models: [] })];
  const names = (peers: Peer[]) => peers.map((one) => one.name);
  it('sorts names as people count', () => {
    expect(names(sort_rows(rows, { column: 'name', descending: false }))).toEqual(['attic', 'lab-9', 'lab-10']);
    expect(names(sort_rows(rows, { column: 'name', descending: true }))).toEqual(['lab-10', 'lab-9', 'attic']);
  });
  it('puts what is not known last, either way', () => {
    expect(names(sort_rows(rows, { column: 'rtt', descending: false }))).toEqual(['lab-10', 'attic', 'lab-9']);
    expect(names(sort_rows(rows, { column: 'rtt', descending: true }))).toEqual(['attic', 'lab-10', 'lab-9']);
  });
  it('filters by every word', () => {
    expect(names(filter_rows(rows, ' LAB starter '))).toEqual(['lab-10', 'lab-9']);
    expect(names(filter_rows(rows, ''))).toHaveLength(3);
    expect(names(filter_rows(rows, 'lab nothing'))).toEqual([]);
  });
  it('keeps an order while rows come and go', () => {
    expect(names(keep_order(rows, ['id-attic', 'id-gone', 'id-lab-10']))).toEqual(['attic', 'lab-10', 'lab-9']);
  });
  it('shows the rows in sight', () => {
    expect(window_of(1000, 40, 4000, 400, 2)).toEqual({ from: 98, to: 112 });
    expect(window_of(3, 40, 4000, 400)).toEqual({ from: 3, to: 3 });
    expect(window_of(0, 40, 0, 400)).toEqual({ from: 0, to: 0 });
  });
});
