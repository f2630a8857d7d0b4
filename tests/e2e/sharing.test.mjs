// What a person chooses about sharing a machine: at once, over a restart of the node in its process, and on disk.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ask, startMesh, story, tellAndAfter } from './lib/mesh.mjs';
import { deployed, deployment, stageNodes, startSplit } from './lib/split.mjs';
import { eventually, run, startServer, temporaryDirectory } from './lib/server.mjs';

let mesh, attic, desk;
before(async () => {
  mesh = await startMesh({ workers: 1, clients: 1, clientSettings: { worker_wait_s: 1 } });
  [attic, desk] = mesh.nodes;
});
after(() => mesh?.stop());

const token = (node) => JSON.parse(readFileSync(path.join(node.dataDir, 'node.json'), 'utf8')).control_token;
const sharing = (node) => node.json('/api/sharing');
const kept = (node) => JSON.parse(readFileSync(path.join(node.dataDir, 'sharing.json'), 'utf8'));
const models = async (node) => (await node.json('/v1/models')).data.map(({ id }) => id);

/** What a node answers to a wish: {status, body}. */
async function choose(node, wish, key = token(node)) {
  const answer = await node.server.post('/api/sharing', wish, { authorization: `Bearer ${key}` });
  return { status: answer.status, body: await answer.json() };
}

const readyEvents = (node) => node.server.stdout.split('\n').filter((line) => line.includes('"event":"ready"')).map((line) => JSON.parse(line));

test('a node says what it shares; who may not change that is told so', async () => {
  const now = await sharing(attic);
  assert.equal(now.in_mesh, true);
  assert.equal(now.sharing, true);
  assert.equal(now.reachable, false);
  assert.match(now.listens, /^127\.0\.0\.1:\d+$/);
  assert.equal(now.who, 'invite');
  assert.equal(now.may_invite, true);
  assert.deepEqual(now.fixed, []);
  assert.ok(now.memory_total_bytes > 256e6 && now.memory_bytes === now.memory_total_bytes, JSON.stringify(now));
  assert.equal((await choose(attic, { sharing: false }, 'a guess')).status, 401);
  assert.equal((await sharing(attic)).sharing, true);
});

test('off: nobody else gets an answer from it, its own clients do; on again at once', async () => {
  assert.equal((await ask(desk, story(8))).by, attic.id);
  const off = await choose(attic, { sharing: false });
  assert.equal(off.status, 200);
  assert.equal(off.body.sharing, false);
  assert.equal(off.body.restarting, undefined);
  assert.deepEqual(kept(attic), { sharing: false });
  assert.ok(await eventually(async () => !(await models(desk)).includes('starter')), 'it is still offered elsewhere');
  assert.equal((await ask(attic, story(8))).by, attic.id);
  const others = (await desk.json('/api/peers')).find(({ node_id }) => node_id === attic.id);
  assert.equal(others.state, 'alive');
  assert.deepEqual(others.models, []);
  await assert.rejects(ask(desk, story(8)), { status: 503 });

  assert.equal((await choose(attic, { sharing: true })).body.sharing, true);
  assert.ok(await eventually(async () => (await models(desk)).includes('starter')), 'it is not offered again');
  assert.equal((await ask(desk, story(8))).by, attic.id);
});

test('an answer under way goes on when sharing ends', async () => {
  const { data, response } = await desk.client.chat.completions.create({ ...story(300), stream: true }).withResponse();
  assert.equal(response.headers.get('x-starling-node'), attic.id);
  let pieces = 0;
  let finish;
  for await (const chunk of data) {
    if (pieces++ === 5) await choose(attic, { sharing: false });
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
  assert.equal(finish, 'length');
  await choose(attic, { sharing: true });
  assert.ok(await eventually(async () => (await models(desk)).includes('starter')));
});

test('memory is lent within bounds', async () => {
  const { memory_total_bytes: total } = await sharing(attic);
  const lent = await choose(attic, { memory_bytes: 300_000_000 });
  assert.equal(lent.status, 200);
  assert.equal(lent.body.memory_bytes, 300_000_000);
  assert.equal(kept(attic).memory_bytes, 300_000_000);
  for (const [bytes, mentions] of [[total + 1_000_000_000, /This machine has /], [1_000_000, /too little/]]) {
    const refused = await choose(attic, { memory_bytes: bytes });
    assert.equal(refused.status, 400);
    assert.match(refused.body.error.message, mentions);
  }
  assert.equal((await choose(attic, { memory_bytes: 'much' })).status, 400);
  assert.equal((await sharing(attic)).memory_bytes, 300_000_000);
});

test('what makes it reachable restarts it: the same node, the same ports, back in the mesh', async () => {
  const before = { ...(await sharing(attic)), events: readyEvents(attic).length, pid: attic.server.child.pid };
  const answer = await choose(attic, { reachable: true, who: 'invite_or_ask' });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.restarting, true);
  assert.equal(answer.body.reachable, true);
  assert.ok(await eventually(() => readyEvents(attic).length > before.events, 30_000), attic.log());
  const [was, is] = readyEvents(attic).slice(-2);
  assert.deepEqual(is, was, 'another address, or another node');

  const now = await sharing(attic);
  assert.equal(now.listens, before.listens.replace('127.0.0.1', '0.0.0.0'));
  assert.deepEqual([now.reachable, now.who, now.sharing, now.memory_bytes], [true, 'invite_or_ask', true, 300_000_000]);
  assert.equal(attic.server.exit, null);
  await mesh.meet();
  assert.equal((await ask(desk, story(8))).by, attic.id);
});

test('a member that has joined by an invite comes back too, and forgets nothing of it', async () => {
  const before = await desk.status();
  assert.equal((await choose(desk, { reachable: true })).body.restarting, true);
  assert.ok(await eventually(async () => (await sharing(desk).catch(() => null))?.listens.startsWith('0.0.0.0:'), 30_000), desk.log());
  await mesh.meet();
  const now = await desk.status();
  assert.deepEqual([now.node_id, now.mesh_id], [before.node_id, before.mesh_id]);
  assert.equal((await ask(desk, story(8))).by, attic.id);
});

test('it says where it listens and whom it contacts, to those who may know', async () => {
  assert.equal((await attic.server.get('/api/about')).status, 401);
  const about = await (await attic.server.get('/api/about', { headers: { authorization: `Bearer ${token(attic)}` } })).json();
  const of = (what) => about.listens.find((one) => one.what === what);
  assert.equal(of('API and console').address, new URL(attic.server.url).host);
  assert.equal(of('API and console').who, 'programs on this machine');
  assert.equal(of('other nodes').address, (await sharing(attic)).listens);
  assert.ok(about.contacts.some(({ why, when }) => why.includes(desk.name) && when === 'now'), JSON.stringify(about.contacts));
  assert.ok(about.contacts.some(({ host }) => host.endsWith(':9339')), 'the local network is not named');
  for (const name of ['llama.cpp', 'Boost', 'ngtcp2', 'GnuTLS', 'libcurl']) {
    assert.match(about.versions.find((one) => one.name === name)?.version ?? '', /\d+\.\d+/, name);
  }
  assert.equal(about.data_dir, attic.dataDir);
  assert.match(about.platform, /core/);
  assert.ok(!JSON.stringify(about).includes(token(attic)));
});

test('a client has nothing to share; what was given at the start stays', async () => {
  assert.equal((await sharing(desk)).sharing, false);
  const refused = await choose(desk, { sharing: true });
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /client/);

  const fixed = await startServer({ args: ['--peer-bind', '127.0.0.1', '--lan', '--memory', '1G'] });
  try {
    const now = await fixed.json('/api/sharing');
    assert.deepEqual(now.fixed, ['reachable', 'who', 'memory']);
    assert.equal(now.memory_bytes, 1_000_000_000);
    const node = { dataDir: fixed.dataDir, server: fixed };
    for (const wish of [{ reachable: true }, { who: 'invite' }, { memory_bytes: 2_000_000_000 }]) {
      const answer = await choose(node, wish);
      assert.equal(answer.status, 400, JSON.stringify(wish));
      assert.match(answer.body.error.message, /was decided when this node was started/);
    }
    assert.equal((await choose(node, { who: 'anybody' })).status, 400);
  } finally {
    await fixed.stop();
  }
});

test('a signal ends it while it starts again', async () => {
  const node = await startServer({});
  const ended = choose({ dataDir: node.dataDir, server: node }, { reachable: true });
  assert.equal((await ended).body.restarting, true);
  assert.deepEqual(await node.stop(), { code: 0, signal: null });
});

test('choices outlive the program; a broken file is a sentence, and stays as it is', async () => {
  const dataDir = temporaryDirectory();
  const file = path.join(dataDir, 'sharing.json');
  try {
    writeFileSync(file, '{"sharing":false,"memory_bytes":400000000}');
    const node = await startServer({ dataDir });
    const now = await node.json('/api/sharing');
    await node.stop();
    assert.deepEqual([now.sharing, now.memory_bytes], [false, 400_000_000]);

    for (const broken of ['{"sharing":', '{"sharing":"no"}', '{"memory_bytes":-1}', '{"who":"anybody"}', '[]']) {
      writeFileSync(file, broken);
      const outcome = await run(['serve', '--data-dir', dataDir, '--port', '0', '--peer-port', '0']);
      assert.equal(outcome.code, 1, broken);
      assert.match(outcome.stderr, /^starling: .*sharing\.json is damaged;.*\.\n$/);
      assert.equal(readFileSync(file, 'utf8'), broken);
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('off: a part of a split model goes when no answer needs it any more', { timeout: 120_000 }, async () => {
  const split = await startSplit({ stages: 2 });
  try {
    const [first, coordinator] = stageNodes(split, split.deployment);
    const told = await tellAndAfter(20, coordinator, story(800), () => choose(first, { sharing: false }));
    assert.deepEqual([told.error, told.finish], [null, 'length']);
    const isLet = async () => {
      const one = await deployment(coordinator);
      return one?.state !== 'serving' || one.coordinator === first.id; // what it serves to its own clients
    };
    assert.equal(await isLet(), false, 'an answer was under way a moment ago');
    assert.ok(await eventually(isLet, 30_000), JSON.stringify(await deployment(coordinator)));
    await choose(first, { sharing: true });
    assert.ok(await eventually(async () => (await ask(coordinator, story(8))).text, 30_000));
  } finally {
    await split.stop();
  }
});

test('off: another node takes the part of a split model, where there is one', { timeout: 120_000 }, async () => {
  const split = await startSplit({ stages: 2, workers: 3 });
  try {
    const [first, coordinator] = stageNodes(split, split.deployment);
    assert.equal((await choose(first, { sharing: false })).status, 200);
    await deployed(split.nodes, { stages: 2, without: [first] });
    assert.ok((await ask(coordinator, story(8))).text);
  } finally {
    await split.stop();
  }
});
