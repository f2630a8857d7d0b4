// Finding members on the local network (--lan), and asking one to be let in (--lan --ask), among hosts that share a
// network of their own: neither do the beacons of these tests leave it, nor does it hear others.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startNetlab, whyNoNetlab } from './lib/netlab.mjs';
import { binary, eventually, run, startServer, temporaryDirectory, user } from './lib/server.mjs';

const udp = path.join(path.dirname(fileURLToPath(import.meta.url)), 'lib/udp.mjs');
const group = '239.255.83.76';
const lanPort = 9339;
const skip = whyNoNetlab;
const hasScript = spawnSync('script', ['--version']).status === 0;

let lab;
let running = [];
before(async () => {
  if (!skip) lab = await startNetlab({ hosts: 4 });
});
after(() => lab?.stop());
afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()));
});

/** A node on a host. `reachable`: others can connect to it; otherwise it listens as by default. */
async function start(host, name, { args = [], verb, reachable = true, dataDir } = {}) {
  const bound = reachable ? ['--peer-bind', lab.address(host)] : [];
  const kept = dataDir ? ['--data-dir', dataDir] : [];
  const node = await startServer({ at: lab.at(host), verb, args: ['--name', name, ...(verb ? [] : ['--threads', '1']), ...bound, ...kept, ...args] });
  running.push(node.stop);
  node.host = host;
  node.where = dataDir ?? node.dataDir;
  node.token = JSON.parse(readFileSync(path.join(node.where, 'node.json'))).control_token;
  node.events = (kind) => node.stdout.split('\n').filter((line) => line.includes(`"event":"${kind}"`)).map((line) => JSON.parse(line));
  node.owner = async (where, body) => {
    const headers = { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' };
    const answer = await fetch(node.url + where, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  };
  node.meshId = async () => (await node.json('/api/status')).mesh_id;
  node.sees = async (other) => (await node.json('/api/peers')).some((peer) => peer.node_id === other.nodeId && peer.state === 'alive' && peer.rtt_ms !== null);
  return node;
}

/** Runs the program on a host to its end. */
async function runAt(host, args) {
  const child = lab.exec(host, binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (out.stdout += data));
  child.stderr.on('data', (data) => (out.stderr += data));
  [out.code] = await once(child, 'close');
  return out;
}
const cli = (node, ...args) => runAt(node.host, [...args, '--data-dir', node.where]);

/** What a host hears on the multicast group. */
async function listenOn(host, from) {
  const child = lab.exec(host, process.execPath, [udp, 'listen', group, String(lanPort), from], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(() => (child.kill(), once(child, 'close')));
  const heard = { text: '' };
  child.stdout.on('data', (data) => (heard.text += data));
  assert.ok(await eventually(() => heard.text.includes('ready')));
  heard.beacons = () => heard.text.split('\n').filter((line) => line.startsWith('starling'));
  return heard;
}

/** The address of a host's network device that counts on its link alone; nothing while it is looked for. */
async function linkLocalOf(host) {
  const child = lab.exec(host, 'cat', ['/proc/net/if_inet6'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (data) => (told += data));
  await once(child, 'close');
  const digits = /^(fe80[0-9a-f]{28}) \S+ \S+ 20 80 +wan0$/m.exec(told)?.[1]; // 80: settled, not tentative
  return digits?.match(/.{4}/g).join(':');
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const chat = async (node) => {
  const { data, response } = await node.client.chat.completions.create({ model: 'starter', max_tokens: 4, messages: [user('Hello')] }).withResponse();
  return { text: data.choices[0].message.content, by: response.headers.get('x-starling-node') };
};
const waitFor = async (what, isSo, timeoutMs = 15_000) => assert.ok(await eventually(isSo, timeoutMs), what);

/** Both sides of a request, when both screens show it. */
async function untilAsked(member, newcomer) {
  await waitFor('no code on the newcomer', () => newcomer.events('asked').length > 0);
  await waitFor('no request at the member', () => member.events('join_request').length > 0);
  return { asked: newcomer.events('asked').at(-1), request: member.events('join_request').at(-1) };
}

test('members find each other without addresses', { skip }, async () => {
  const [here, there] = [temporaryDirectory(), temporaryDirectory()];
  running.push(() => [here, there].forEach((dir) => rmSync(dir, { recursive: true, force: true })));
  let first = await start(1, 'first', { dataDir: here });
  const invite = (await cli(first, 'invite', '--no-qr')).stdout.trim();
  let second = await start(2, 'second', { dataDir: there, args: ['--join', invite] });
  await waitFor('no mesh', async () => (await second.sees(first)) && (await first.sees(second)));
  await Promise.all([first.stop(), second.stop()]);
  for (const dir of [here, there]) {
    const file = path.join(dir, 'mesh.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file)), contacts: [] }), { mode: 0o600 });
  }
  // Both at new ports, and the first one does not know where the second is either.
  first = await start(1, 'first', { dataDir: here, args: ['--lan'] });
  second = await start(2, 'second', { dataDir: there, args: ['--lan'] });
  await waitFor('they did not find each other', async () => (await second.sees(first)) && (await first.sees(second)));
});

test('a newcomer asks, both people agree, and it is in', { skip }, async () => {
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  const newcomer = await start(2, 'laptop', { reachable: false, args: ['--lan', '--ask'] });
  const { asked, request } = await untilAsked(member, newcomer);
  assert.match(asked.code, /^\d{3} \d{3}$/);
  assert.equal(request.code, asked.code);
  assert.deepEqual([request.name, request.node_id], ['laptop', newcomer.nodeId]);
  assert.deepEqual([asked.member, asked.member_id, asked.mesh_id], ['kitchen', member.nodeId, await member.meshId()]);

  // Meanwhile it serves those on its own machine.
  assert.equal((await chat(newcomer)).by, newcomer.nodeId);
  assert.equal((await newcomer.json('/api/status')).mesh_id || null, null);

  const waiting = await member.owner('/api/requests');
  assert.equal(waiting.status, 200);
  assert.equal(waiting.body.length, 1);
  assert.deepEqual([waiting.body[0].code, waiting.body[0].name, waiting.body[0].node_id], [asked.code, 'laptop', newcomer.nodeId]);
  assert.equal(typeof waiting.body[0].since_s, 'number');
  assert.equal((await member.get('/api/requests')).status, 401);
  assert.equal((await newcomer.get('/api/asking')).status, 401);
  assert.match((await cli(member, 'peers', 'requests')).stdout, new RegExp(`${asked.code} +"laptop" \\(${newcomer.nodeId.slice(0, 8)}\\)`));

  // One alone is not enough, and a wrong code is none.
  const wrong = asked.code === '000 000' ? '111 111' : '000 000';
  assert.equal((await cli(member, 'peers', 'approve', wrong)).code, 1);
  const mistaken = await cli(newcomer, 'peers', 'confirm', wrong);
  assert.equal(mistaken.code, 1);
  assert.match(mistaken.stderr, new RegExp(asked.code));
  const approved = await cli(member, 'peers', 'approve', asked.code.slice(0, 3), asked.code.slice(4)); // without quotes
  assert.equal(approved.code, 0, approved.stderr);
  await waitFor('approval is not told', async () => (await newcomer.owner('/api/asking')).body.asking?.approved);
  await pause(500);
  assert.equal((await newcomer.json('/api/status')).mesh_id || null, null);
  const confirmed = await cli(newcomer, 'peers', 'confirm', asked.code);
  assert.equal(confirmed.code, 0, confirmed.stderr);
  await waitFor('they are not connected', async () => (await newcomer.sees(member)) && (await member.sees(newcomer)));
  assert.equal(await newcomer.meshId(), await member.meshId());
  assert.equal((await chat(newcomer)).text.length > 0, true);
  assert.deepEqual((await member.owner('/api/requests')).body, []);
  assert.deepEqual((await newcomer.owner('/api/asking')).body, { asking: null });
});

test('it stays a member over a restart, where --ask means nothing any more', { skip }, async () => {
  const dataDir = temporaryDirectory();
  running.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  let newcomer = await start(2, 'laptop', { dataDir, reachable: false, args: ['--lan', '--ask'] });
  const { asked } = await untilAsked(member, newcomer);
  // Here the newcomer's person is first, and both go through the API.
  assert.deepEqual((await newcomer.owner('/api/asking', { confirm: true })).body, { confirmed: true });
  assert.equal((await member.owner('/api/requests', { code: asked.code, approve: true })).status, 200);
  await waitFor('not in', async () => member.sees(newcomer));
  await newcomer.stop();
  newcomer = await start(2, 'laptop', { dataDir, reachable: false, args: ['--lan', '--ask'] });
  await waitFor('not in again', async () => (await newcomer.sees(member)) && (await member.sees(newcomer)));
  assert.match(newcomer.stderr, /--ask is ignored/);
  assert.equal(newcomer.events('asked').length, 0);
});

test('a client is let in, and the mesh answers it', { skip }, async () => {
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  const client = await start(3, 'phone', { verb: ['client'], reachable: false, args: ['--lan', '--ask'] });
  const { asked } = await untilAsked(member, client);
  assert.equal((await cli(client, 'peers', 'confirm', asked.code)).code, 0);
  assert.equal((await cli(member, 'peers', 'approve', asked.code, '--role', 'client')).code, 0);
  await waitFor('not in', () => client.sees(member));
  await waitFor('no model', async () => (await client.json('/v1/models')).data.length > 0);
  assert.equal((await chat(client)).by, member.nodeId);
});

test('a person at the member says no', { skip }, async () => {
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  const newcomer = await start(2, 'laptop', { reachable: false, args: ['--lan', '--ask'] });
  const { asked } = await untilAsked(member, newcomer);
  assert.equal((await cli(newcomer, 'peers', 'confirm', asked.code)).code, 0);
  const refused = await cli(member, 'peers', 'refuse', asked.code);
  assert.equal(refused.code, 0, refused.stderr);
  await waitFor('nothing in the log', () => /The person at kitchen said no\./.test(newcomer.stderr));
  await pause(500);
  assert.equal((await newcomer.json('/api/status')).mesh_id || null, null);
  assert.deepEqual((await newcomer.owner('/api/asking')).body, { asking: null });
  assert.equal(await member.sees(newcomer), false);
  assert.equal((await chat(newcomer)).by, newcomer.nodeId);
});

test('the person at the newcomer says no, and the next member is asked', { skip }, async () => {
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  const newcomer = await start(2, 'laptop', { reachable: false, args: ['--lan', '--ask'] });
  await untilAsked(member, newcomer);
  assert.equal((await newcomer.owner('/api/asking', {})).status, 400);
  const no = await cli(newcomer, 'peers', 'confirm', '--no');
  assert.equal(no.code, 0, no.stderr);
  await waitFor('it still waits', async () => (await member.owner('/api/requests')).body.length === 0);
  assert.equal((await newcomer.json('/api/status')).mesh_id || null, null);
  assert.equal(await member.sees(newcomer), false);
  const nobody = await cli(newcomer, 'peers', 'confirm', '--no');
  assert.equal(nobody.code, 1);
  const other = await start(3, 'attic', { args: ['--lan'] });
  const { asked } = await untilAsked(other, newcomer);
  assert.equal(asked.member, 'attic');
});

test('who leaves waits no more, on either side', { skip }, async () => {
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  const leaves = await start(2, 'laptop', { reachable: false, args: ['--lan', '--ask'] });
  await untilAsked(member, leaves);
  assert.deepEqual(await leaves.stop(), { code: 0, signal: null });
  await waitFor('it still waits', async () => (await member.owner('/api/requests')).body.length === 0);
  const stays = await start(3, 'tower', { reachable: false, args: ['--lan', '--ask'] });
  await waitFor('not asked', async () => (await stays.owner('/api/asking')).body.asking);
  await member.stop('SIGKILL');
  await waitFor('it still asks', async () => (await stays.owner('/api/asking')).body.asking === null);
});

test('an address that counts on one link alone', { skip }, async () => {
  let own;
  await waitFor('no such address', async () => (own = await linkLocalOf(1)));
  const member = await start(1, 'kitchen', { reachable: false, args: ['--lan', '--peer-bind', `${own}%wan0`] });
  const newcomer = await start(2, 'laptop', { reachable: false, args: ['--lan', '--ask', '--peer-bind', '::'] });
  const { asked } = await untilAsked(member, newcomer);
  assert.equal((await cli(member, 'peers', 'approve', asked.code)).code, 0);
  assert.equal((await cli(newcomer, 'peers', 'confirm', asked.code)).code, 0);
  await waitFor('not in', () => newcomer.sees(member));
});

test('a member without --lan, and one that may not admit, take no requests', { skip }, async () => {
  const first = await start(1, 'first');
  const invite = (await cli(first, 'invite', '--no-qr')).stdout.trim();
  const second = await start(2, 'second', { args: ['--lan', '--join', invite] });
  await waitFor('no mesh', () => second.sees(first));
  const newcomer = await start(3, 'laptop', { reachable: false, args: ['--lan', '--ask'] });
  await waitFor('second was not asked', () => /takes no requests to join/.test(newcomer.stderr));
  assert.equal(newcomer.events('asked').length, 0);
  assert.deepEqual((await second.owner('/api/requests')).body, []);
  const none = await cli(second, 'peers', 'approve', '123456');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /Nobody can ask this node to join/);
});

test('without --lan nothing is announced; on the loopback alone, nothing leaves the machine', { skip }, async () => {
  const beside = await listenOn(2, lab.address(2));
  await start(1, 'silent');
  const loopback = await start(3, 'inside', { reachable: false, args: ['--lan'] });
  assert.match(loopback.stderr, /this machine alone/);
  const inside = await listenOn(3, '127.0.0.1');
  await waitFor('not even on the loopback', () => inside.beacons().length > 0);
  await pause(6_000); // longer than from one beacon to the next
  assert.deepEqual(beside.beacons(), []);
  const heard = await start(4, 'loud', { args: ['--lan'] });
  await waitFor('the listener is deaf', () => beside.beacons().length >= 3);
  assert.ok(!beside.text.includes(await heard.meshId()), 'the mesh id is not in a beacon');
});

test('a member that nobody can connect to hears, and says nothing', { skip }, async () => {
  const dataDir = temporaryDirectory();
  running.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  const invite = (await cli(member, 'invite', '--no-qr')).stdout.trim();
  const beside = await listenOn(3, lab.address(3));
  const second = await start(2, 'laptop', { dataDir, reachable: false, args: ['--lan', '--join', invite] });
  await waitFor('not in', () => second.sees(member));
  await pause(1_000);
  assert.ok(beside.beacons().every((line) => line.endsWith(lab.address(1))), beside.text);
});

test('on one machine, over the loopback', { skip }, async () => {
  const member = await start(1, 'one', { reachable: false, args: ['--lan'] });
  const newcomer = await start(1, 'two', { reachable: false, args: ['--lan', '--ask'] });
  const { asked } = await untilAsked(member, newcomer);
  assert.equal((await cli(member, 'peers', 'approve', asked.code)).code, 0);
  assert.equal((await cli(newcomer, 'peers', 'confirm', asked.code)).code, 0);
  await waitFor('not in', async () => (await newcomer.sees(member)) && (await member.sees(newcomer)));
});

test('at a terminal, a line of yes is enough', { skip: skip || (!hasScript && 'there is no script(1)') }, async () => {
  const member = await start(1, 'kitchen', { args: ['--lan'] });
  const dataDir = temporaryDirectory();
  // exec: a shell that stays (dash does) ends by the Ctrl-C itself, whatever the program made of it
  const command = `exec ${binary} serve --data-dir ${dataDir} --name laptop --port 0 --peer-port 0 --threads 1 --lan --ask`;
  const child = lab.exec(2, 'script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  running.push(async () => {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    rmSync(dataDir, { recursive: true, force: true });
  });
  let screen = '';
  child.stdout.on('data', (data) => (screen += data));
  const question = /The node "kitchen" \(mesh ([0-9a-f]{8})\) shows the code (\d{3} \d{3})\? \[y\/N\] /;
  await waitFor('no question', () => question.test(screen));
  const [, mesh, code] = question.exec(screen);
  assert.equal(mesh, (await member.meshId()).slice(0, 8));
  assert.equal((await cli(member, 'peers', 'approve', code)).code, 0);
  child.stdin.write('y\n');
  await waitFor('not in', () => new RegExp(`in mesh ${mesh}`).test(screen));
  child.stdin.write('\x03');
  const [exit] = await once(child, 'close');
  assert.equal(exit, 0, screen);
});

test('what does not go together is wrong usage', async () => {
  const dir = temporaryDirectory();
  const alone = await run(['serve', '--ask', '--data-dir', dir]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /--lan/);
  const both = await run(['serve', '--lan', '--ask', '--join', 'starling:x', '--data-dir', dir]);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /not both/);
  assert.equal((await run(['peers', 'confirm', '--data-dir', dir])).code, 2);
  assert.equal((await run(['peers', 'approve', '123456', '--role', 'king', '--data-dir', dir])).code, 2);
  assert.equal((await run(['peers', 'requests', '--data-dir', dir])).code, 1);
  rmSync(dir, { recursive: true, force: true });
});
