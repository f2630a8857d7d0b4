// Models that come and go while a node runs: GET and POST /api/models.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startHub } from './lib/hub.mjs';
import { ask, makeNode, startMesh, story, tellAndAfter } from './lib/mesh.mjs';
import { eventually, startServer, temporaryDirectory, user } from './lib/server.mjs';
import { models } from './lib/split.mjs';

let dir, tale, mesh, first, second;

const tokenOf = (node) => JSON.parse(readFileSync(path.join(node.server.dataDir, 'node.json'))).control_token;
const wish = (node, action, model, token = tokenOf(node)) =>
  node.server.post('/api/models', { model, action }, { authorization: `Bearer ${token}` });
const load = (node, model) => wish(node, 'load', model);
const unload = (node, model) => wish(node, 'unload', model);
const row = async (node, id) => (await node.json('/api/models')).find((one) => one.id === id);
const hereOf = async (node, id) => (await row(node, id))?.here;

async function until(node, id, here) {
  let last;
  const there = await eventually(async () => (last = await hereOf(node, id)) === here, 30_000);
  assert.ok(there, `${id} is ${last}, not ${here}: ${node.log()}`);
}

async function took(response, answer) {
  assert.equal(response.status, 202, await response.clone().text());
  assert.deepEqual(await response.json(), answer);
}

async function refused(response, status, ...mentions) {
  const body = await response.text();
  assert.equal(response.status, status, body);
  const { message } = JSON.parse(body).error;
  for (const mention of mentions) assert.match(message, mention);
}

const chat = (node, model) => ask(node.client ? node : node.server, { model, messages: [user('Hi')], max_tokens: 4 });

before(async () => {
  dir = temporaryDirectory();
  tale = path.join(dir, 'tale.gguf');
  copyFileSync(path.join(models, 'starter.gguf'), tale);
  mesh = await startMesh({ workers: 2, settings: { slots: 2 } });
  [first, second] = mesh.workers;
});
after(async () => {
  await mesh?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('what is served has a row, and the starter of both nodes counts', async () => {
  const starter = await row(first, 'starter');
  assert.equal(starter.here, 'ready');
  assert.equal(starter.source, 'starter');
  assert.equal(starter.progress, 1);
  assert.ok(starter.size_bytes > 1e6 && starter.context_length > 0, JSON.stringify(starter));
  assert.equal(starter.nodes, 1);
  assert.deepEqual([starter.can_load, starter.can_unload], [false, true]);
  const before = starter.requests;
  await chat(first, 'starter');
  const asked = await row(first, 'starter');
  assert.equal(asked.requests, before + 1);
  assert.ok(asked.last_active_s >= 0 && asked.request_rate_per_min > 0, JSON.stringify(asked));
});

test('a file is loaded by its path, answers, and is known to the other node', async () => {
  await took(await load(first, tale), { id: 'tale', state: 'loading' });
  await until(first, 'tale', 'ready');
  await took(await load(first, tale), { id: 'tale', state: 'ready' });
  assert.ok((await chat(first, 'tale')).text.length > 0);
  assert.ok(await eventually(async () => (await row(second, 'tale'))?.nodes === 1));
  const elsewhere = await row(second, 'tale');
  assert.deepEqual([elsewhere.here, elsewhere.can_load, elsewhere.can_unload], ['none', false, false]);
  assert.equal((await chat(second, 'tale')).by, first.id);
});

test('an answer under way finishes when its model is unloaded, and then its engine ends', async () => {
  const threads = () => readdirSync(`/proc/${first.server.child.pid}/task`).length;
  const loaded = threads();
  const told = await tellAndAfter(3, first, { ...story(1500), model: 'tale' }, async () => {
    await took(await unload(first, 'tale'), { id: 'tale', state: 'on_disk' });
    assert.ok(threads() >= loaded, 'the engine ended under an answer');
  });
  assert.ok(await eventually(() => threads() < loaded), `still ${threads()} threads of ${loaded}`);
  assert.equal(told.error, null);
  assert.equal(told.finish, 'length');
  assert.equal(await hereOf(first, 'tale'), 'on_disk');
  await assert.rejects(chat(first, 'tale'), ({ status, message }) => status === 404 && /tale/.test(message));
  assert.ok(await eventually(async () => !(await row(second, 'tale'))), 'the other node still offers it');
  await refused(await unload(first, 'tale'), 400, /not loaded/);
});

test('what was unloaded is loaded again by its id', async () => {
  const resting = await row(first, 'tale');
  assert.deepEqual([resting.can_load, resting.can_unload, resting.source], [true, false, tale]);
  await took(await load(first, 'tale'), { id: 'tale', state: 'loading' });
  await until(first, 'tale', 'ready');
  assert.ok((await chat(first, 'tale')).text.length > 0);
});

test('an answer through another node finishes too', async () => {
  const told = await tellAndAfter(3, second, { ...story(1500), model: 'tale' }, async () => {
    await took(await unload(first, 'tale'), { id: 'tale', state: 'on_disk' });
  });
  assert.equal(told.error, null);
  assert.equal(told.finish, 'length');
  assert.equal((await second.routing()).resumed, 0);
});

test('a model that was named at start stays in reserve, and comes back when it is wanted', async () => {
  await chat(first, 'starter');
  await took(await unload(second, 'starter'), { id: 'starter', state: 'standby' });
  await took(await unload(first, 'starter'), { id: 'starter', state: 'standby' });
  await new Promise((resolve) => setTimeout(resolve, 8_000)); // requests from before do not bring it back
  assert.equal(await hereOf(first, 'starter'), 'standby');
  assert.equal(await hereOf(second, 'starter'), 'standby');
  assert.ok((await chat(first, 'auto')).text.length > 0);
  const states = [await hereOf(first, 'starter'), await hereOf(second, 'starter')];
  assert.ok(states.includes('ready'), states.join());
  await load(first, 'starter');
  await load(second, 'starter');
  await until(first, 'starter', 'ready');
  await until(second, 'starter', 'ready');
});

test('what cannot be loaded is refused with one sentence', async () => {
  const garbage = path.join(dir, 'garbage.gguf');
  writeFileSync(garbage, 'not a model at all');
  const cut = path.join(dir, 'cut.gguf');
  writeFileSync(cut, readFileSync(tale).subarray(0, 1_000_000));
  const folder = path.join(dir, 'folder.gguf');
  mkdirSync(folder);
  const namesake = path.join(folder, 'starter.gguf');
  copyFileSync(tale, namesake);
  await refused(await load(first, garbage), 400, /GGUF/);
  await refused(await load(first, cut), 400, /ends/);
  await refused(await load(first, folder), 404, /not a file/);
  await refused(await load(first, path.join(dir, 'missing.gguf')), 404, /missing\.gguf/);
  await refused(await load(first, 'nonsense'), 404, /nonsense/);
  await refused(await load(first, 'hf://owner'), 400, /hf:\/\//);
  await refused(await load(first, namesake), 400, /another model .*'starter'/);
  await refused(await load(first, ''), 400);
  await refused(await wish(first, 'dance', 'starter'), 400, /load/);
  await refused(await unload(first, 'nobody'), 400, /not loaded/);
  await refused(await first.server.post('/api/models', [1]), 401);
  await refused(await wish(first, 'unload', 'starter', 'a'.repeat(64)), 401, /control token/);
  assert.equal(await hereOf(first, 'starter'), 'ready');
  assert.equal(await hereOf(first, 'garbage'), undefined);
});

test('a hub reference is fetched, and a failed download says why', async () => {
  const hub = await startHub(readFileSync(tale));
  const node = await startServer({ args: ['--hub-url', hub.url] });
  const own = { server: node, json: node.json, log: () => node.stderr };
  try {
    const reference = 'hf://owner/repository/fetched.gguf';
    hub.faults.missing = true;
    await took(await load(own, reference), { id: 'fetched', state: 'loading' });
    await until(own, 'fetched', 'failed');
    const failed = await row(own, 'fetched');
    assert.ok(failed.failure.length > 0 && failed.can_load, JSON.stringify(failed));
    hub.faults.missing = false;
    await took(await load(own, 'fetched'), { id: 'fetched', state: 'loading' });
    await until(own, 'fetched', 'ready');
    await took(await unload(own, 'fetched'), { id: 'fetched', state: 'on_disk' });
    assert.equal((await row(own, 'fetched')).source, reference);
    assert.equal(await hereOf(own, 'starter'), 'ready');
  } finally {
    await node.stop();
    hub.stop();
  }
});

test('a download is given up, and goes on where it was when it is wanted again', async () => {
  const hub = await startHub(readFileSync(tale));
  const node = await startServer({ args: ['--hub-url', hub.url] });
  const own = { server: node, json: node.json, log: () => node.stderr };
  let release;
  hub.faults.held = new Promise((resolve) => (release = resolve));
  try {
    await took(await load(own, 'hf://owner/repository/slow.gguf'), { id: 'slow', state: 'loading' });
    assert.ok(await eventually(async () => (await row(own, 'slow')).progress > 0));
    assert.equal((await row(own, 'slow')).can_unload, true);
    await took(await unload(own, 'slow'), { id: 'slow', state: 'on_disk' });
    assert.ok(await eventually(async () => !(await row(own, 'slow'))), node.stderr);
    assert.equal(await hereOf(own, 'starter'), 'ready');
    hub.faults.held = null;
    await took(await load(own, 'hf://owner/repository/slow.gguf'), { id: 'slow', state: 'loading' });
    await until(own, 'slow', 'ready');
    assert.ok(hub.asked.at(-1) > 0, `it was fetched from the start: ${hub.asked}`);
    assert.ok((await chat(own, 'slow')).text.length > 0);
  } finally {
    release();
    await node.stop();
    hub.stop();
  }
});

test('a client loads nothing, and says why', async () => {
  const client = makeNode({ name: 'visitor', role: 'client' });
  try {
    await client.start('--join', await first.invite('client'));
    await refused(await load(client, tale), 400, /client/);
    const seen = await eventually(async () => (await row(client, 'starter'))?.nodes === 2);
    assert.ok(seen, JSON.stringify(await client.json('/api/models')));
    assert.deepEqual([(await row(client, 'starter')).can_load, await hereOf(client, 'starter')], [false, 'on_disk']);
  } finally {
    await client.remove();
  }
});
