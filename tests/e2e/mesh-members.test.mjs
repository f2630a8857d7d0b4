// Who is in and who does what: an overloaded worker, a revoked one, and everybody restarted. Three workers and a client
// with a round trip of 10 ms.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ask, fill, isFull, smallSettings, startMesh, story } from './lib/mesh.mjs';
import { startNetlab, whyNoNetlab } from './lib/netlab.mjs';
import { eventually } from './lib/server.mjs';

const needsNetlab = { skip: whyNoNetlab, timeout: 120_000 };

let lab, mesh, client;
before(async () => {
  if (whyNoNetlab) return;
  lab = await startNetlab({ hosts: 4, delayMs: 5 });
  mesh = await startMesh({ workers: 3, clients: 1, lab, settings: (n) => (n === 1 ? smallSettings : {}) });
  [client] = mesh.clients;
});
after(async () => {
  await mesh?.stop();
  await lab?.stop();
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const othersThan = (node) => mesh.nodes.filter((other) => other !== node);
const isOut = async (node) => (await Promise.all(othersThan(node).map((other) => other.isConnectedTo(node)))).every((yes) => !yes);

test('a worker that is full gets no more requests, and no client sees an error', needsNetlab, async () => {
  const [full] = mesh.workers;
  const release = await fill(full);
  let meanwhile = 0;
  for (let i = 0; i < 5; ++i) {
    const answers = await Promise.all([1, 2].map((seed) => ask(client, story(6, seed))));
    if (!(await isFull(full))) break;
    assert.ok(answers.every(({ by }) => by !== full.id));
    meanwhile += answers.length;
  }
  await release();
  assert.ok(meanwhile > 0);
});

test('everybody restarted with nothing but the data directories: the same mesh, and it answers', needsNetlab, async () => {
  const before = (await client.status()).mesh_id;
  for (const how of ['SIGTERM', 'SIGKILL']) {
    await Promise.all(mesh.nodes.map((node) => node.server.stop(how)));
    await Promise.all(mesh.nodes.map((node) => node.start()));
    await mesh.meet();
    const ids = await Promise.all(mesh.nodes.map(async (node) => (await node.status()).mesh_id));
    assert.deepEqual(ids, mesh.nodes.map(() => before), how);
    assert.ok((await ask(client, story(8))).text.length > 0, how);
  }
});

test('a worker that is revoked is out everywhere within two seconds, and stays out after a restart', needsNetlab, async () => {
  const [root, , outcast] = mesh.workers;
  const told = await root.run('peers', 'revoke', outcast.id);
  assert.equal(told.code, 0, told.stderr);
  assert.ok(await eventually(() => isOut(outcast), 2000), 'somebody is still connected');
  assert.equal((await client.sees(outcast)).state, 'left');
  assert.ok(await eventually(() => /The mesh does not take this node any more/.test(outcast.log())), outcast.log());
  assert.ok(await eventually(async () => /\.$/.test((await outcast.status()).removed ?? '')), outcast.log());
  const said = await outcast.run('status');
  assert.match(said.stdout, /^removed  .+ start it with --join and a new invite\.$/m);
  assert.equal((await root.status()).removed, undefined);
  const bodies = Array.from({ length: 12 }, (_, i) => story(4, i));
  for (const body of bodies) assert.notEqual((await ask(client, body)).by, outcast.id);
  assert.equal((await ask(outcast, story(8))).by, outcast.id, 'it serves its own clients alone');
  await outcast.stop();
  await outcast.start();
  await pause(2000);
  assert.ok(await isOut(outcast), 'it came back');
  assert.ok(await eventually(() => /The mesh does not take this node any more/.test(outcast.log())), outcast.log());
  await Promise.all(othersThan(outcast).map((node) => node.server.stop()));
  await Promise.all(othersThan(outcast).map((node) => node.start()));
  await mesh.meet(othersThan(outcast));
  await pause(1000);
  assert.ok(await isOut(outcast), 'it came back when the others were restarted');
});

test('a worker that was revoked comes back with a new invite, and not with its old one', needsNetlab, async () => {
  const [root, , outcast] = mesh.workers;
  await outcast.stop();
  rmSync(path.join(outcast.dataDir, 'mesh.json'));
  const refused = await outcast.run('serve', '--port', '0', '--join', outcast.joinedWith);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /The mesh did not take this node/);
  await outcast.start('--join', await root.invite());
  await mesh.meet();
});
