import { describe, expect, it } from 'vitest';
import type { Deployment, Peer } from '../src/live/types';
import { Layout } from '../src/pages/mesh/picture/layout';
import { Occupancy } from '../src/pages/mesh/picture/occupancy';
import { has_moved, radius_of } from '../src/pages/mesh/picture/radius';
import { assign_colours, chain_ids, disc_at, project, scene_of } from '../src/pages/mesh/picture/scene';
import { fit, max_scale, part_inside, zoom_at } from '../src/pages/mesh/picture/view';

const peer = (node_id: string, more: Partial<Peer> = {}): Peer => ({
  node_id, name: node_id, role: 'worker', state: 'alive', rtt_ms: 5, path: 'direct', health: null, models: [], version: '', ...more,
});

describe('the distance of a machine', () => {
  it('grows by the same for each tenfold round trip', () => {
    expect(radius_of(100, 8) - radius_of(10, 8)).toBeCloseTo(radius_of(10, 8) - radius_of(1, 8));
    expect(radius_of(1, 8)).toBeGreaterThan(radius_of(0.3, 8));
  });
  it('has bounds, and is far where it is not known', () => {
    expect(radius_of(0, 8)).toBe(radius_of(0.2, 8));
    expect(radius_of(90_000, 8)).toBe(radius_of(1_000, 8));
    expect(radius_of(null, 8)).toBeGreaterThan(radius_of(100, 8));
  });
  it('is more where there are many', () => {
    expect(radius_of(10, 1_000)).toBeGreaterThan(2 * radius_of(10, 100));
  });
  it('does not follow each small change', () => {
    expect(has_moved(radius_of(10, 8), radius_of(11, 8), 8)).toBe(false);
    expect(has_moved(radius_of(10, 8), radius_of(20, 8), 8)).toBe(true);
  });
});

describe('the layout', () => {
  const settle = (layout: Layout) => {
    while (layout.tick(1_000));
  };
  const others = (...rtts: number[]) => rtts.map((rtt_ms, i) => ({ id: `n${i}`, rtt_ms }));
  it('keeps machines apart, near their distance', () => {
    const layout = new Layout();
    layout.update('me', others(1, 1, 10, 10, 100));
    settle(layout);
    const places = [...layout.places.values()];
    for (const a of places) {
      for (const b of places) if (a !== b) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(60);
    }
    const far = layout.places.get('n4');
    expect(Math.hypot(far?.x ?? 0, far?.y ?? 0) / radius_of(100, 5)).toBeCloseTo(1, 1);
  });
  it('leaves those that are there where they are', () => {
    const layout = new Layout();
    layout.update('me', others(1, 5, 20));
    settle(layout);
    const before = [...layout.places].map(([id, { x, y }]) => [id, x, y]);
    expect(layout.update('me', others(1, 5.2, 20))).toBe(false);
    layout.update('me', others(1, 5.2, 20, 3));
    settle(layout);
    expect([...layout.places].slice(0, 4).map(([id, { x, y }]) => [id, x, y])).toEqual(before);
    layout.update('me', others(1, 5.2));
    expect([...layout.places.keys()]).toEqual(['me', 'n0', 'n1']);
  });
  it('settles a thousand a little at a time', () => {
    const layout = new Layout();
    layout.update('me', Array.from({ length: 1_000 }, (_, i) => ({ id: `node ${i}`, rtt_ms: 0.3 + (i % 97) })));
    expect(layout.tick(1)).toBe(true);
  });
});

describe('the scene', () => {
  const split = (coordinator: string, ...ids: string[]) =>
    ({ model: 'big', coordinator, state: 'forming', stages: ids.map((node_id) => ({ node_id })) }) as unknown as Deployment;
  const peers = new Map(['me', 'a', 'b'].map((id) => [id, peer(id, id === 'me' ? { path: 'local' } : {})]));
  it('leads a chain through its stages to the coordinator', () => {
    expect(chain_ids(split('b', 'a', 'b'))).toEqual(['a', 'b']);
    expect(chain_ids(split('me', 'a', 'b'))).toEqual(['a', 'b', 'me']);
    const [chain] = scene_of(peers, 'me', [split('me', 'a', 'gone', 'b')], new Map([['big', 3]])).chains;
    expect(chain).toMatchObject({ colour: 3, moving: true });
    expect(chain?.through.map((disc) => disc.id)).toEqual(['a', 'b', 'me']);
  });
  it('finds the machine under the pointer', () => {
    const scene = scene_of(peers, 'me', [], new Map());
    const places = new Map([['me', { id: 'me', x: 0, y: 0, wanted: 0 }], ['a', { id: 'a', x: 100, y: 0, wanted: 100 }]]);
    project(scene, places, { x: 200, y: 200, scale: 1 }, 1.5, 400, 400);
    expect(disc_at(scene, 352, 201)?.id).toBe('a');
    expect(disc_at(scene, 300, 200)).toBeNull();
  });
  it('keeps the colour of a model', () => {
    const first = assign_colours(new Map(), ['x', 'y'], 6);
    expect([...first]).toEqual([['x', 1], ['y', 2]]);
    expect(assign_colours(first, ['y', 'z'], 6)).toEqual(new Map([['y', 2], ['z', 1]]));
    expect(assign_colours(new Map(), ['a', 'b', 'c'], 2).get('c')).toBe(1);
  });
});

describe('the view', () => {
  it('zooms about the pointer', () => {
    const view = zoom_at({ x: 100, y: 50, scale: 1 }, 140, 50, 2);
    expect(view).toEqual({ x: 60, y: 50, scale: 2 });
    expect(zoom_at(view, 0, 0, 1_000).scale).toBe(max_scale);
  });
  it('knows which part of a line is in sight', () => {
    expect(part_inside(-100, 50, 300, 50, 200, 100)).toEqual([0.25, 0.75]);
    expect(part_inside(10, 10, 20, 20, 200, 100)).toEqual([0, 1]);
    expect(part_inside(-10, -5, 300, -5, 200, 100)).toBeNull();
    expect(part_inside(-50, 40, 40, -50, 200, 100)).toBeNull();
  });
  it('fits a box into the middle', () => {
    expect(fit({ left: -500, right: 500, top: -100, bottom: 300 }, 600, 400, 50)).toEqual({ x: 300, y: 150, scale: 0.5 });
  });
});

it('names are written where there is room', () => {
  const room = new Occupancy();
  room.clear(100, 100);
  expect(room.take(10, 10, 50, 24)).toBe(true);
  expect(room.take(40, 20, 80, 30)).toBe(false);
  expect(room.take(10, 28, 50, 40)).toBe(true);
  expect(room.take(90, 10, 110, 20)).toBe(false);
});
