// Whether a model is split, over how many, and what is said when it cannot be.
import assert from 'node:assert/strict';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { ask, assertSameText, startMesh, story } from './lib/mesh.mjs';
import { run, startServer } from './lib/server.mjs';
import { deployed, deployment, greedy, join, models, startAlone, startSplit, textOf } from './lib/split.mjs';

const patient = { timeout: 120_000 };
const hasRoom = '2G';
const hasNoRoomForAll = '9M'; // the starter takes 12 MB with so little context; a part of it, less
const hasNoRoom = '3M';
const draftModel = path.join(models, 'starter-draft.gguf'); // another small model

let running = [];
const keep = (one) => (running.push(one), one);
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

/** What a node says to a request that it cannot serve now. */
async function refusal(node, body = { ...story(4) }) {
  const answer = await node.server.post('/v1/chat/completions', body);
  return { status: answer.status, ...(await answer.json()).error };
}

test('memory for it all on one node: it stays whole', patient, async () => {
  const mesh = keep(await startMesh({ workers: 2, settings: { split: 'auto', memory: hasRoom } }));
  for (const node of mesh.nodes) {
    const own = (await node.json('/api/deployments')).find(({ coordinator }) => coordinator === node.id);
    assert.deepEqual([own.model, own.stages.length, own.stages[0].node_id], ['starter', 1, node.id]);
    assert.ok(mesh.byId((await ask(node, story(8))).by));
  }
});

test('too little memory on each node: it is split by itself, and says why', patient, async () => {
  const settings = { split: 'auto', memory: hasNoRoomForAll, activations: 'f32', slots: 1, ctx: 512 };
  const mesh = keep(await startMesh({ workers: 3, settings, serving: false }));
  const { stages, reason } = await deployed(mesh.nodes);
  assert.ok(stages.length >= 2, `${stages.length}`);
  assert.match(reason, /\d/, 'the reason has numbers');
  const alone = keep(await startAlone('--ctx', '512'));
  const [body] = greedy;
  assertSameText((await ask(mesh.nodes[0], body)).text, await textOf(alone.client, body));
});

test('one node with memory for it all among those without: it is whole there, and the others ask it', patient, async () => {
  const settings = (number) => ({ split: 'auto', memory: number === 1 ? hasRoom : hasNoRoom });
  const mesh = keep(await startMesh({ workers: 2, settings, serving: false }));
  const [large, small] = mesh.workers;
  assert.equal((await ask(small, story(8))).by, large.id);
  for (const { state, stages } of await small.json('/api/deployments')) assert.ok(state !== 'serving' || stages.length === 1, state);
});

test('too little memory on all nodes together: refused with numbers', patient, async () => {
  const mesh = keep(await startMesh({ workers: 2, settings: { split: 'auto', memory: hasNoRoom, worker_wait_s: 1 }, serving: false }));
  for (const node of mesh.nodes) {
    const { status, message } = await refusal(node);
    assert.equal(status, 503, message);
    assert.match(message, /needs [\d.]+ MB.*machine.* [\d.]+ MB/s);
  }
  const seen = await deployment(mesh.nodes[0]);
  assert.notEqual(seen?.state, 'serving');
});

test('--split never on a node without memory for it: it says so and does not pretend', patient, async () => {
  const failed = await startServer({ args: ['--split', 'never', '--memory', hasNoRoom] }).then((server) => keep(server), (error) => error);
  if (failed instanceof Error) return assert.match(failed.message, /memory|fit/i);
  const answer = await failed.post('/v1/chat/completions', story(4));
  assert.equal(answer.status, 503);
  assert.match((await answer.json()).error.message, /memory|fit/i);
});

test('a worker that has the file computes a part of a model that it does not serve', patient, async () => {
  const mesh = keep(await startMesh({
    workers: 2, serving: false,
    settings: (number) => number === 1 ? { models: ['starter'], split: '2' } : { models: [draftModel], split: 'never' },
  }));
  const { coordinator, stages } = await deployed(mesh.nodes, { stages: 2 });
  assert.equal(coordinator, mesh.workers[0].id);
  assert.equal(stages[0].node_id, mesh.workers[1].id);
  const alone = keep(await startAlone());
  const [body] = greedy;
  assert.equal((await ask(mesh.workers[1], body)).by, coordinator);
  assert.ok((await textOf(alone.client, body)).length > 0);
});

test('fewer nodes than stages: an error that says so, until another one joins', patient, async () => {
  const settings = { split: '3', worker_wait_s: 1 };
  const mesh = keep(await startMesh({ workers: 2, settings, serving: false }));
  for (const node of mesh.nodes) {
    const { status, message } = await refusal(node);
    assert.equal(status, 503, message);
    assert.match(message, /3|nodes/);
    assert.notEqual((await deployment(node))?.state, 'serving');
  }
  await join(mesh, { name: 'worker3', settings: { threads: 1, slots: 4, ...settings } });
  await deployed(mesh.nodes, { stages: 3 });
  for (const node of mesh.nodes) assert.ok((await ask(node, story(8))).text.length > 0);
});

test('all nodes name the model: one deployment, one coordinator, whoever begins', patient, async () => {
  for (let round = 0; round < 2; round++) {
    const mesh = await startSplit({ stages: 3, workers: 4 });
    try {
      const seen = await Promise.all(mesh.nodes.map((node) => node.json('/api/deployments')));
      assert.deepEqual(seen.map((all) => all.length), [1, 1, 1, 1]);
      assert.equal(new Set(seen.map(([{ coordinator }]) => coordinator)).size, 1);
      assert.equal(new Set(mesh.deployment.stages.map(({ node_id }) => node_id)).size, 3);
      const { coordinator, epoch } = await deployment(mesh.nodes[0]);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      assert.deepEqual(await deployed(mesh.nodes, { stages: 3 }).then((one) => [one.coordinator, one.epoch]), [coordinator, epoch], 'it does not move by itself');
    } finally {
      await mesh.stop();
    }
  }
});

test('wrong values are wrong usage', patient, async () => {
  for (const args of [['--split', '0'], ['--split', '17'], ['--split', 'sometimes'], ['--activations', 'f8'], ['--memory', 'much']]) {
    const { code, stderr } = await run(['serve', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, new RegExp(args[0].slice(2)), args.join(' '));
  }
});
