// A node that has a model in reserve loads it when the mesh asks for it and nobody serves it.
import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, makeNode, startMesh, story } from './lib/mesh.mjs';
import { eventually, temporaryDirectory } from './lib/server.mjs';

const starter = fileURLToPath(new URL('../../models/starter.gguf', import.meta.url));

let dir, mesh, entry, client, reserve;
before(async () => {
  dir = temporaryDirectory();
  const other = path.join(dir, 'other.gguf');
  copyFileSync(starter, other);
  mesh = await startMesh({ clients: 1, settings: { models: [other] } });
  [entry] = mesh.workers;
  [client] = mesh.clients;
  reserve = makeNode({ name: 'reserve', role: 'worker', settings: { standby: true, models: ['starter'] } });
  await reserve.start('--join', await entry.invite());
  assert.ok(await eventually(() => client.isConnectedTo(reserve)));
});
after(async () => {
  await reserve?.remove();
  await mesh?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const stateAt = async (node) => (await node.status()).models.find(({ id }) => id === 'starter')?.state;

test('in reserve, the model is listed and not loaded', async () => {
  assert.equal(await stateAt(reserve), 'standby');
  assert.ok(await eventually(async () =>
    (await client.client.models.list()).data.map(({ id }) => id).sort().join() === 'other,starter'));
  assert.deepEqual((await client.sees(reserve)).models, []);
});

test('a request for it through another node is answered by the one that loads it', async () => {
  const { text, by } = await ask(client, story(8));
  assert.equal(by, reserve.id);
  assert.ok(text.length > 0);
  assert.equal(await stateAt(reserve), 'ready');
  assert.ok(await eventually(async () => (await client.sees(reserve)).models.includes('starter')));
});

test('what is asked for here is known everywhere', async () => {
  const demandAt = async (node) => (await node.status()).demand.find(({ model }) => model === 'starter');
  for (const node of [client, entry, reserve]) {
    assert.ok(await eventually(async () => (await demandAt(node))?.requests >= 1), node.name);
    const demand = await demandAt(node);
    assert.ok(demand.request_rate_per_min > 0 && demand.last_active_s < 60, JSON.stringify(demand));
  }
});

test('a model that a node does not have is answered through it all the same', async () => {
  const { by } = await ask(reserve, { ...story(4), model: 'other' });
  assert.equal(by, entry.id);
});
