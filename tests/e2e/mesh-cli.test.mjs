// The verbs of the mesh against a node that is played here: what they ask, and what they make of the answers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { run, temporaryDirectory } from './lib/server.mjs';

const token = 'only-who-reads-the-data-directory';
const invite = `starling:${'AbC-_09'.repeat(24)}`;
const own = 'a'.repeat(64);
const kitchen = `1234567800${'0'.repeat(54)}`;
const attic = `1234567811${'1'.repeat(54)}`;
const peers = [
  { node_id: own, name: 'desk', role: 'worker', state: 'alive', rtt_ms: 0, path: 'local', health: { score: 98, state: 'good' }, models: ['starter'], version: '0.1.0' },
  { node_id: kitchen, name: 'kitchen', role: 'worker', state: 'alive', rtt_ms: 1.5, path: 'direct', health: { score: 71.2, state: 'busy' }, models: ['starter', 'qwen3-8b'], version: '0.1.0' },
  { node_id: attic, name: 'attic\u001b[2J', role: 'client', state: 'suspect', rtt_ms: null, path: 'relay', health: null, models: [], version: '0.1.0' },
];

let dir, dataDir, node, url, asked, answers;

/** What a node answers; a test replaces what it needs. */
function usualAnswers() {
  return {
    'POST /api/invites': ({ role, expires_s }) => [
      200,
      { invite, role, expires_unix_s: Math.floor(Date.now() / 1000) + expires_s, addresses: ['10.0.0.2:9338'], this_machine_only: false },
    ],
    'POST /api/revocations': ({ node_id }) => [200, { node_id }],
    'GET /api/peers': () => [200, peers],
    'GET /api/status': () => [
      200,
      { node_id: own, name: 'desk', version: '0.1.0', mesh_id: 'c0ffee00'.repeat(8), role: 'worker', peers: { alive: 1, known: 2 }, health: { score: 98, state: 'good' }, models: [], engine: {}, uptime_s: 5 },
    ],
  };
}

async function answerOne(request, response) {
  let body = '';
  for await (const piece of request) {
    body += piece;
  }
  const what = `${request.method} ${request.url}`;
  asked.push({ what, body: body && JSON.parse(body), key: request.headers.authorization });
  const answer = answers[what];
  const trusted = request.method !== 'POST' || request.headers.authorization === `Bearer ${token}`;
  const [status, content] = !trusted ? [401, {}] : answer ? answer(body && JSON.parse(body)) : [404, {}];
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof content === 'string' ? content : JSON.stringify(content));
}

function publish(where, more = {}) {
  mkdirSync(where, { recursive: true });
  const about = { api_url: url, node_id: own, version: '0.1.0', api_key_file: '', control_token: token, pid: process.pid, ...more };
  writeFileSync(path.join(where, 'node.json'), JSON.stringify(about), { mode: 0o600 });
}

/** Holds the lock by which a running node is known, as its process would. */
async function holdLock(where) {
  const holder = spawn('flock', [path.join(where, 'node.lock'), 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return holder;
}

let lock;
before(async () => {
  dir = temporaryDirectory();
  dataDir = path.join(dir, 'data');
  node = http.createServer(answerOne).listen(0, '127.0.0.1');
  await once(node, 'listening');
  url = `http://127.0.0.1:${node.address().port}`;
  publish(dataDir);
  lock = await holdLock(dataDir);
});
after(() => {
  lock?.stdin.end();
  node?.closeAllConnections?.();
  node?.close();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  answers = usualAnswers();
});

const ask = (...args) => run([...args, '--data-dir', dataDir]);
const halfBlocks = /[▀▄█]{8}/;

/** One plain sentence on stderr, and nothing on stdout. */
function assertRefused(result, code, ...mentions) {
  assert.equal(result.code, code, result.stderr);
  assert.equal(result.stdout, '');
  assert.equal(result.stderr.trim().split('\n').length, 1, result.stderr);
  for (const mention of mentions) {
    assert.match(result.stderr, mention);
  }
}

test('an invite is alone on stdout; the words and the QR code are on stderr', async () => {
  const made = await ask('invite');
  assert.equal(made.code, 0, made.stderr);
  assert.equal(made.stdout, `${invite}\n`);
  assert.match(made.stderr, /worker/);
  assert.match(made.stderr, /once/);
  assert.match(made.stderr, /24 hours/);
  assert.match(made.stderr, /starling serve --join/);
  assert.match(made.stderr, /10\.0\.0\.2:9338/);
  assert.match(made.stderr, halfBlocks);
  assert.doesNotMatch(made.stderr, /warning/);
  assert.ok(!made.stderr.includes(invite), 'the invite is a secret that logs of stderr should not have');
  assert.ok(!made.stderr.includes('\u001b'), 'no escape sequences where there is no terminal');
  assert.deepEqual(asked, [{ what: 'POST /api/invites', body: { role: 'worker', expires_s: 86_400, may_invite: false }, key: `Bearer ${token}` }]);
});

test('an invite for a client, and for so long', async () => {
  const made = await ask('invite', '--role', 'client', '--expires', '90m');
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(asked[0].body, { role: 'client', expires_s: 5_400, may_invite: false });
  assert.match(made.stderr, /as a client, once, within 90 minutes/);
  assert.match(made.stderr, /starling client --join/);
  for (const [text, seconds] of [['1m', 60], ['90s', 90], ['7d', 604_800], ['30d', 2_592_000]]) {
    assert.equal((await ask('invite', '--no-qr', '--expires', text)).code, 0);
    assert.equal(asked.at(-1).body.expires_s, seconds);
  }
});

test('without a QR code, and as JSON', async () => {
  const plain = await ask('invite', '--no-qr');
  assert.equal(plain.stdout, `${invite}\n`);
  assert.doesNotMatch(plain.stderr, /[▀▄█]/);
  assert.doesNotMatch(plain.stderr, /QR/);
  const json = await ask('invite', '--json');
  assert.equal(json.code, 0, json.stderr);
  assert.equal(JSON.parse(json.stdout).invite, invite);
  assert.equal(json.stderr, '');
});

test('an invite that only works here is told as such', async () => {
  const usual = answers['POST /api/invites'];
  answers['POST /api/invites'] = (body) => [200, { ...usual(body)[1], addresses: ['127.0.0.1:9338'], this_machine_only: true }];
  const made = await ask('invite');
  assert.equal(made.stdout, `${invite}\n`);
  assert.match(made.stderr, /warning: .*this machine only.*--peer-bind 0\.0\.0\.0/);
  assert.match((await ask('invite', '--json')).stderr, /warning/);
});

test('times and roles that are none are wrong usage, and nobody is asked', async () => {
  for (const text of ['24', '', 'h', '-1h', '1.5h', 'soon', '1y']) {
    assertRefused(await ask('invite', '--expires', text), 2, /--expires/, /24h/);
  }
  for (const text of ['59s', '31d', '0h', '99999999999999999999d']) {
    assertRefused(await ask('invite', '--expires', text), 2, /between 1 minute and 30 days/);
  }
  assertRefused(await ask('invite', '--role', 'admin'), 2, /--role/, /worker/, /client/, /admin/);
  assert.deepEqual(asked, []);
});

test('no node running, and one that was killed', async () => {
  const empty = path.join(dir, 'empty');
  for (const verb of [['invite'], ['peers'], ['peers', 'revoke', kitchen], ['status']]) {
    assertRefused(await run([...verb, '--data-dir', empty]), 1, /No node is running/, /starling serve/);
  }
  const left = path.join(dir, 'left');
  publish(left);
  writeFileSync(path.join(left, 'node.lock'), '');
  assertRefused(await run(['invite', '--data-dir', left]), 1, /No node is running/);
});

test('what the node refuses is told in its words', async () => {
  answers['POST /api/invites'] = () => [403, { error: { message: 'This node may not admit others;\u001b[31m ask desk.' } }];
  assertRefused(await ask('invite'), 1, /This node may not admit others;\[31m ask desk\./);
  answers['POST /api/invites'] = () => [500, 'oops'];
  assertRefused(await ask('invite'), 1, /status 500/);
  answers['POST /api/invites'] = () => [200, 'oops'];
  assertRefused(await ask('invite'), 1, /not a Starling node/);
  answers['POST /api/invites'] = () => [200, {}];
  assertRefused(await ask('invite'), 1, /no invite/);
});

test('a node without a token, with another one, and one that does not answer', async () => {
  const other = path.join(dir, 'other');
  publish(other, { control_token: '' });
  const held = await holdLock(other);
  assertRefused(await run(['invite', '--data-dir', other]), 1, /version/);
  publish(other, { control_token: 'of yesterday' });
  assertRefused(await run(['invite', '--data-dir', other]), 1, /token/);
  publish(other, { api_url: 'http://127.0.0.1:1' });
  assertRefused(await run(['invite', '--data-dir', other]), 1, /does not answer/);
  held.stdin.end();
});

test('peers as a table', async () => {
  const told = await ask('peers');
  assert.equal(told.code, 0, told.stderr);
  const lines = told.stdout.trimEnd().split('\n');
  assert.equal(lines.length, 4, told.stdout);
  assert.match(lines[0], /^NAME +ID +ROLE +STATE +RTT +HEALTH +MODELS +VERSION$/);
  assert.match(lines[1], /^desk \(this node\) +aaaaaaaa +worker +alive +- +good 98 +starter +0\.1\.0$/);
  assert.match(lines[2], /^attic\[2J +12345678 +client +suspect +- +- +- +0\.1\.0$/);
  assert.match(lines[3], /^kitchen +12345678 +worker +alive +1\.5 ms +busy 71 +starter, qwen3-8b +0\.1\.0$/);
  assert.ok(!told.stdout.includes('\u001b'), 'a name took the terminal over');
});

test('peers as JSON, alone, and of another node', async () => {
  const json = await ask('peers', '--json');
  assert.equal(json.code, 0, json.stderr);
  assert.deepEqual(JSON.parse(json.stdout), peers);
  const elsewhere = await run(['peers', '--url', `${url}/v1/`, '--data-dir', path.join(dir, 'empty')]);
  assert.match(elsewhere.stdout, /desk \(this node\)/, elsewhere.stderr);
  answers['GET /api/peers'] = () => [200, [peers[0]]];
  assert.match((await ask('peers')).stdout, /starling invite/);
  answers['GET /api/peers'] = () => [200, []];
  const nobody = await ask('peers');
  assert.equal(nobody.code, 0);
  assert.match(nobody.stdout, /^No other node/);
  answers['GET /api/peers'] = () => [401, {}];
  assertRefused(await ask('peers'), 1, /--api-key-file/);
});

test('the API key of the running node is used', async () => {
  const keyed = path.join(dir, 'keyed');
  const keys = path.join(dir, 'keys');
  writeFileSync(keys, 'secret-of-clients\n', { mode: 0o600 });
  publish(keyed, { api_key_file: keys });
  const held = await holdLock(keyed);
  await run(['peers', '--data-dir', keyed]);
  assert.equal(asked[0].key, 'Bearer secret-of-clients');
  await run(['invite', '--data-dir', keyed]);
  assert.equal(asked.at(-1).key, `Bearer ${token}`);
  held.stdin.end();
});

test('revoking by a whole id, by its beginning, and one that nobody knows', async () => {
  for (const id of [kitchen, '1234567800', '1234567800'.padEnd(63, '0')]) {
    const told = await ask('peers', 'revoke', id);
    assert.equal(told.code, 0, told.stderr);
    assert.equal(told.stdout, 'kitchen (12345678…) is out; every node will know within seconds.\n');
    assert.deepEqual(asked.at(-1), { what: 'POST /api/revocations', body: { node_id: kitchen }, key: `Bearer ${token}` });
  }
  const stranger = await ask('peers', 'revoke', '9'.repeat(64));
  assert.equal(stranger.code, 0, stranger.stderr);
  assert.match(stranger.stdout, /No node with the id 99999999… is known/);
  assert.equal(asked.at(-1).body.node_id, '9'.repeat(64));
});

test('revoking what is unclear, unknown, no id, or oneself changes nothing', async () => {
  assertRefused(await ask('peers', 'revoke', '12345678'), 1, /2 nodes/, new RegExp(kitchen), new RegExp(attic));
  assertRefused(await ask('peers', 'revoke', '99999999'), 1, /99999999/, /starling peers/);
  assertRefused(await ask('peers', 'revoke', '1234567'), 2, /1234567/);
  assertRefused(await ask('peers', 'revoke', 'kitchen'), 2, /kitchen/);
  assertRefused(await ask('peers', 'revoke'), 2, /ID/);
  assertRefused(await ask('peers', 'revoke', own), 1, /the node that runs here/);
  assertRefused(await ask('peers', 'revoke', 'AAAAAAAA'), 1, /the node that runs here/);
  answers['GET /api/peers'] = () => [200, peers.slice(1)]; // a node that does not list itself
  assertRefused(await ask('peers', 'revoke', 'aaaaaaaa'), 1, /the node that runs here/);
  assert.deepEqual(asked.filter(({ what }) => what.startsWith('POST')), []);
  answers['POST /api/revocations'] = () => [403, { error: { message: 'This node may not revoke.' } }];
  assertRefused(await ask('peers', 'revoke', attic), 1, /This node may not revoke\./);
});

test('status tells of the mesh, where there is one', async () => {
  assert.match((await ask('status')).stdout, /^mesh +c0ffee00 +as worker +1 of 2 peers alive$/m);
  const usual = answers['GET /api/status'];
  answers['GET /api/status'] = () => [200, { ...usual()[1], mesh_id: null, peers: undefined }];
  const alone = await ask('status');
  assert.equal(alone.code, 0, alone.stderr);
  assert.doesNotMatch(alone.stdout, /^mesh/m);
});
