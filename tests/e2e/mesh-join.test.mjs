// Getting in: every way in which an invite is used and misused. Everything on this machine.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { ask, makeNode, startMesh, story } from './lib/mesh.mjs';
import { eventually, run, temporaryDirectory } from './lib/server.mjs';

let mesh, root;
before(async () => {
  mesh = await startMesh();
  [root] = mesh.workers;
});
after(() => mesh?.stop());

const guests = [];
const newGuest = (role = 'worker', more = {}) =>
  guests[guests.push(makeNode({ name: `guest${guests.length + 1}`, role, ...more })) - 1];
afterEach(async () => {
  for (const node of guests.splice(0).reverse()) await node.remove();
});

const areMet = (a, b = root) => eventually(async () => (await a.isConnectedTo(b)) && (await b.isConnectedTo(a)));

/** Starts a node that cannot run, and gives how it ends. */
async function startInVain(verb, args, env) {
  const dataDir = temporaryDirectory();
  const ended = await run([verb, '--data-dir', dataDir, '--port', '0', '--peer-port', '0', ...args], { env });
  rmSync(dataDir, { recursive: true, force: true });
  return ended;
}

/** One sentence on stderr, behind the lines of the log. */
function assertRefused({ code, stdout, stderr }, expected, words) {
  assert.equal(code, expected, stderr);
  assert.equal(stdout, '');
  const last = stderr.trimEnd().split('\n').at(-1);
  assert.match(last, /^starling: [^.]+\.?[^\n]*$/, stderr);
  assert.match(last, words);
}

test('an invite lets one node in, and no second one', async () => {
  const invite = await root.invite();
  const first = newGuest();
  await first.start('--join', invite);
  assert.ok(await areMet(first));
  assertRefused(await startInVain('serve', ['--join', invite]), 1, /did not take this node/);
});

test('an invite that two nodes use at the same moment lets exactly one in', async () => {
  const invite = await root.invite();
  const pair = [newGuest(), newGuest()];
  const started = await Promise.allSettled(pair.map((node) => node.start('--join', invite)));
  await eventually(async () => pair.some((node) => node.server?.exit || !node.server), 5000);
  const out = pair.filter((node, i) => started[i].status === 'rejected' || node.server.exit);
  assert.equal(out.length, 1);
  assert.ok(await areMet(pair.find((node) => !out.includes(node))));
});

test('who is in rejoins after a restart with its used invite, with no invite, and with one from the file', async () => {
  const invite = await root.invite();
  const guest = newGuest();
  await guest.start('--join', invite);
  const { mesh_id } = await root.status();
  for (const args of [['--join', invite], []]) {
    await guest.server.stop();
    await guest.start(...args);
    assert.ok(await areMet(guest), args.join(' '));
    assert.equal((await guest.status()).mesh_id, mesh_id);
  }
  const fromFile = newGuest('worker', { settings: { join: await root.invite() } });
  for (let i = 0; i < 2; ++i) {
    await fromFile.start();
    assert.ok(await areMet(fromFile));
    await fromFile.server.stop();
  }
});

test('an invite in the environment works', async () => {
  const guest = newGuest();
  process.env.STARLING_JOIN = await root.invite();
  try {
    await guest.start();
  } finally {
    delete process.env.STARLING_JOIN;
  }
  assert.ok(await areMet(guest));
});

test('a client\'s invite makes a client and no worker', async () => {
  const invite = await root.invite('client');
  assertRefused(await startInVain('serve', ['--join', invite]), 1, /is for a client.*starling client/);
  const client = newGuest('client');
  await client.start('--join', await root.invite('client'));
  assert.ok(await areMet(client));
  assert.equal((await root.sees(client)).role, 'client');
  assert.equal((await ask(client, story(4))).by, root.id);
  assertRefused(await client.run('invite'), 1, /may not invite/);
  await client.server.stop();
  assertRefused(await client.run('serve', '--port', '0', '--peer-port', '0'), 1, /invited as a client/);
  const promoted = newGuest('worker', { dataDir: client.dataDir });
  await promoted.start('--join', await root.invite());
  assert.ok(await areMet(promoted));
  assert.ok(await eventually(async () => (await root.sees(promoted)).role === 'worker'));
});

test('what is no invite is wrong usage', async () => {
  const invite = await root.invite();
  for (const text of ['garbage', 'starling:', invite.slice(0, -8), `${invite.slice(0, 40)}%${invite.slice(41)}`]) {
    assertRefused(await startInVain('serve', ['--join', text]), 2, /not an invite/);
  }
  assertRefused(await startInVain('serve', [], { STARLING_JOIN: 'garbage' }), 2, /not an invite/);
  assertRefused(await startInVain('client', []), 1, /starling invite/);
});

test('a node\'s own invite is for others', async () => {
  const invite = await root.invite();
  const dataDir = temporaryDirectory();
  writeFileSync(path.join(dataDir, 'node.key'), readFileSync(path.join(root.dataDir, 'node.key')), { mode: 0o600 });
  assertRefused(await run(['serve', '--data-dir', dataDir, '--port', '0', '--peer-port', '0', '--join', invite]), 1, /itself/);
  rmSync(dataDir, { recursive: true, force: true });
});

test('only who can read the data directory makes invites and puts others out', async () => {
  const { control_token } = JSON.parse(readFileSync(path.join(root.dataDir, 'node.json'), 'utf8'));
  const post = async (where, body, key) => {
    const answer = await root.server.post(where, body, key ? { authorization: `Bearer ${key}` } : {});
    return { status: answer.status, error: (await answer.json()).error };
  };
  for (const where of ['/api/invites', '/api/revocations']) {
    for (const key of [undefined, 'wrong', control_token.slice(1), `${control_token}0`]) {
      const { status, error } = await post(where, { role: 'worker' }, key);
      assert.equal(status, 401, `${where} ${key}`);
      assert.ok(!error.message.includes(control_token));
    }
  }
  for (const body of [{ role: 'admin' }, { role: '' }, { role: 7 }, { expires_s: 59 }, { expires_s: 1e9 }, [], '{']) {
    const { status, error } = await post('/api/invites', body, control_token);
    assert.equal(status, 400, JSON.stringify(body));
    assert.ok(error.message.length > 0);
  }
  for (const body of [{}, { node_id: 'kitchen' }, { node_id: root.id }]) {
    assert.equal((await post('/api/revocations', body, control_token)).status, 400, JSON.stringify(body));
  }
  assert.equal((await post('/api/invites', {}, control_token)).status, 200);
});

test('a node whose inviter is away serves its own clients, says so, and joins when it comes', async () => {
  const other = await startMesh();
  try {
    const [inviter] = other.workers;
    const invite = await inviter.invite();
    await inviter.kill();
    const guest = newGuest();
    await guest.start('--join', invite);
    assert.ok(await eventually(() => /not in the mesh yet: /.test(guest.log())), guest.log());
    assert.equal((await guest.status()).mesh_id, null);
    assert.equal((await ask(guest, story(4))).by, guest.id);
    assertRefused(await guest.run('invite'), 1, /in no mesh yet/);
    await inviter.start();
    assert.ok(await areMet(guest, inviter));
  } finally {
    await other.stop();
  }
});
