// The test network itself: what a test asks of it is what its hosts see, and nothing is left of it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { netlabBinary, startNetlab, whyNoNetlab } from './lib/netlab.mjs';
import { eventually, startServer } from './lib/server.mjs';

const needsNetlab = { skip: whyNoNetlab, timeout: 120_000 };
const udp = fileURLToPath(new URL('./lib/udp.mjs', import.meta.url));
const port = 9000;
const delayMs = 20;

const outputOf = async (child) => {
  let out = '';
  for await (const data of child.stdout) out += data;
  return out;
};

/** The round trips that came back, in ms. */
async function ping(from, address, { count = 20, intervalMs = 5, expected = count } = {}) {
  const child = lab.exec(from, process.execPath, [udp, 'ping', address, port, count, intervalMs, expected].map(String));
  return JSON.parse(await outputOf(child));
}

const heardOf = (host) => echoes[host].heard.length;

async function startEcho(inLab, host) {
  const child = inLab.exec(host, process.execPath, [udp, 'echo', String(port)]);
  const echo = { child, heard: [] };
  await new Promise((resolve) => createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') resolve();
    else echo.heard.push(line);
  }));
  return echo;
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const namespaces = (prefix) =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(prefix)) : [];
const nothingIsLeftOf = (prefix) => namespaces(prefix).length === 0 && !existsSync(`/run/netlab-${prefix}`);

let lab;
const echoes = {};
before(async () => {
  if (whyNoNetlab) return;
  lab = await startNetlab({ hosts: 3, delayMs, seed: 7 });
  for (const host of [1, 2, 3]) echoes[host] = await startEcho(lab, host);
});
after(() => lab?.stop());

test('a round trip takes twice the delay, on IPv4 and on IPv6', needsNetlab, async () => {
  for (const address of [lab.address(2), lab.address6(2)]) {
    const times = await ping(1, address);
    assert.equal(times.length, 20, address);
    assert.ok(Math.min(...times) >= 2 * delayMs, `${address}: ${times}`);
    assert.ok(Math.min(...times) < 2 * delayMs + 500, `${address}: ${times}`);
  }
});

test('a delay can be changed, for all and for two', needsNetlab, async () => {
  await lab.delay(1, 2, 60);
  assert.ok(Math.min(...(await ping(1, lab.address(2)))) >= 120);
  assert.ok(Math.min(...(await ping(1, lab.address(3)))) < 120);
  await lab.delay(delayMs);
  assert.ok(Math.min(...(await ping(2, lab.address(1)))) < 120);
});

test('frames are lost as often as asked', needsNetlab, async () => {
  await lab.loss(1, 2, 30); // both ways: 49 % come back
  const some = await ping(1, lab.address(2), { count: 200, intervalMs: 2 });
  assert.ok(some.length > 50 && some.length < 150, `${some.length} of 200`);
  assert.equal((await ping(1, lab.address(3))).length, 20);
  await lab.loss(100);
  assert.equal((await ping(1, lab.address(3))).length, 0);
  await lab.loss(0);
  assert.equal((await ping(1, lab.address(2))).length, 20);
});

test('a host is cut off and healed, and so are two from each other', needsNetlab, async () => {
  await lab.cut(1);
  assert.equal((await ping(1, lab.address(2))).length, 0);
  assert.equal((await ping(2, lab.address6(1))).length, 0);
  assert.equal((await ping(2, lab.address(3))).length, 20);
  await lab.heal(1);
  assert.equal((await ping(1, lab.address(2))).length, 20);
  await lab.cut(1, 2);
  assert.equal((await ping(1, lab.address(2))).length, 0);
  assert.equal((await ping(1, lab.address(3))).length, 20);
  await lab.heal(1, 2);
  assert.equal((await ping(1, lab.address6(2))).length, 20);
});

test('a block is one way', needsNetlab, async () => {
  await lab.block(1, 2);
  const before2 = heardOf(2);
  assert.equal((await ping(1, lab.address(2))).length, 0);
  assert.equal(heardOf(2), before2);
  const before1 = heardOf(1);
  assert.equal((await ping(2, lab.address(1))).length, 0);
  assert.equal(heardOf(1), before1 + 20);
  await lab.heal(1, 2);
  assert.equal((await ping(1, lab.address(2))).length, 20);
});

test('what is duplicated comes twice', needsNetlab, async () => {
  await lab.duplicate(100);
  assert.equal((await ping(1, lab.address(2), { count: 10, expected: 40 })).length, 40); // each way doubles
  await lab.duplicate(0);
});

const receiver = `require('net').createServer((socket) => {
  const hash = require('crypto').createHash('sha256');
  socket.on('data', (data) => hash.update(data)).on('end', () => socket.end(hash.digest('hex')));
}).listen(9001, () => console.log('ready'))`;
const sender = `const socket = require('net').connect({ port: 9001, host: process.argv[1], allowHalfOpen: true });
socket.pipe(process.stdout);
process.stdin.pipe(socket);`;

test('TCP copes with a bad line, and its bytes are right', needsNetlab, async () => {
  await lab.delay(2);
  await lab.loss(1);
  await lab.reorder(5);
  await lab.duplicate(2);
  await lab.jitter(1);
  const listening = lab.exec(2, process.execPath, ['-e', receiver]);
  await new Promise((resolve) => listening.stdout.once('data', resolve));
  const bytes = randomBytes(1 << 20);
  const sending = lab.exec(1, process.execPath, ['-e', sender, lab.address6(2)]);
  sending.stdin.end(bytes);
  assert.equal(await outputOf(sending), createHash('sha256').update(bytes).digest('hex'));
  listening.kill();
  for (const setting of ['loss', 'reorder', 'duplicate', 'jitter']) await lab[setting](0);
  await lab.delay(delayMs);
});

test('a rate holds for what a host sends', needsNetlab, async () => {
  await lab.rate(1, 0.1); // a datagram of a byte is 43 bytes with its headers: 3.4 ms
  const times = await ping(1, lab.address(2), { intervalMs: 0 });
  assert.equal(times.length, 20);
  assert.ok(Math.max(...times) >= 2 * delayMs + 60, String(times));
  await lab.rate(0);
});

test('frames are counted', needsNetlab, async () => {
  const earlier = await lab.stats();
  assert.deepEqual(earlier.map(({ host }) => host), [1, 2, 3]);
  await lab.cut(2);
  await ping(1, lab.address(2), { count: 10 });
  await lab.heal(2);
  const [one] = await lab.stats();
  assert.ok(one.frames >= earlier[0].frames + 10);
  assert.ok(one.bytes >= earlier[0].bytes + 430);
  assert.ok(one.dropped >= earlier[0].dropped + 10);
  assert.equal(one.dropped - earlier[0].dropped, one.dropped_cut - earlier[0].dropped_cut);
});

test('a command that is none is answered with one sentence', needsNetlab, async () => {
  await assert.rejects(lab.control('sever 1'), /there is no command "sever"; there are cut, heal,/);
  await assert.rejects(lab.cut(4), /there is no host 4, only 1 to 3/);
  assert.equal((await ping(1, lab.address(2))).length, 20);
});

test('a node runs in a host and is talked to from outside', needsNetlab, async () => {
  const server = await startServer({ at: lab.at(1) });
  assert.equal((await server.get('/health')).status, 200);
  assert.equal((await server.client.models.list()).data[0].id, 'starter');
  await server.stop();
});

test('a port of a host can be reached from outside', needsNetlab, async () => {
  const script = "require('http').createServer((q, s) => s.end(q.url)).listen(9002, '127.0.0.1', () => console.log('up'))";
  const serving = lab.exec(3, process.execPath, ['-e', script]);
  await new Promise((resolve) => serving.stdout.once('data', resolve));
  const url = await lab.forward(3, 9002);
  const answers = await Promise.all([1, 2, 3].map(async (i) => (await fetch(`${url}/${i}`)).text()));
  assert.deepEqual(answers, ['/1', '/2', '/3']);
  serving.kill();
});

test('stopping removes the hosts and ends what runs in them', needsNetlab, async () => {
  const short = await startNetlab();
  const { child } = await startEcho(short, 1);
  assert.equal(namespaces(short.prefix).length, 2);
  assert.deepEqual(await short.stop(), { code: 0, signal: null });
  assert.ok(nothingIsLeftOf(short.prefix));
  assert.ok(await eventually(() => !isAlive(child.pid)));
});

test('after kill -9, the next run with the prefix removes what is left and works', needsNetlab, async () => {
  const killed = await startNetlab({ hosts: 3 });
  const { prefix } = killed;
  const { child } = await startEcho(killed, 1);
  killed.child.kill('SIGKILL');
  await killed.exited;
  assert.equal(namespaces(prefix).length, 3);
  const next = await startNetlab({ hosts: 2, prefix });
  assert.deepEqual(namespaces(prefix).sort(), [`${prefix}1`, `${prefix}2`]);
  assert.ok(await eventually(() => !isAlive(child.pid)), 'what ran in the old host is gone');
  await startEcho(next, 1);
  assert.equal((await next.stats()).length, 2);
  await next.stop();
  assert.ok(nothingIsLeftOf(prefix));
});

test('two runs cannot have the same prefix', needsNetlab, async () => {
  await assert.rejects(startNetlab({ prefix: lab.prefix }), /another netlab that runs has the prefix/);
  assert.equal((await ping(1, lab.address(2))).length, 20);
});

test('namespaces of others are left alone', needsNetlab, async () => {
  const prefix = `e2e-other-${process.pid}-`;
  spawnSync('ip', ['netns', 'add', `${prefix}2`]);
  try {
    await assert.rejects(startNetlab({ hosts: 1, prefix }), /was not made by netlab/);
    assert.deepEqual(namespaces(prefix), [`${prefix}2`]);
    assert.ok(!existsSync(`/run/netlab-${prefix}`));
  } finally {
    spawnSync('ip', ['netns', 'del', `${prefix}2`]);
  }
});

/** Runs a command under netlab and gives what it was told, its exit code, and what is left. */
async function runUnder(command, interfere = () => {}) {
  const prefix = `e2e-run-${process.pid}-`;
  const child = spawn(netlabBinary, ['--prefix', prefix, '--', 'sh', '-c', command]);
  const closed = new Promise((resolve) => child.on('close', resolve));
  const lines = createInterface({ input: child.stdout });
  lines.once('line', (line) => interfere(child, line));
  assert.ok(await Promise.race([closed.then(() => true), new Promise((r) => setTimeout(r, 30_000, false).unref())]));
  assert.ok(nothingIsLeftOf(prefix), command);
  return closed;
}

test('it ends as its command does, and leaves nothing', needsNetlab, async () => {
  assert.equal(await runUnder('exit 5'), 5);
  assert.equal(await runUnder('kill -KILL $$'), 128 + 9);
  assert.equal(await runUnder('echo $$; exec sleep 60', (_, pid) => process.kill(Number(pid), 'SIGKILL')), 128 + 9);
});

test('a signal is for the command, which may end in its own way', needsNetlab, async () => {
  assert.equal(await runUnder('echo up; exec sleep 60', (child) => child.kill('SIGTERM')), 128 + 15);
  assert.equal(await runUnder('sleep 60 & trap "kill $!; exit 6" INT; echo up; wait', (child) => child.kill('SIGINT')), 6);
  assert.equal(await runUnder('trap "" TERM; echo up; exec sleep 60', (child) => child.kill('SIGTERM')), 128 + 9);
});

test('without the right to make hosts it says so', { skip: process.getuid() !== 0 && 'not root' }, () => {
  const { status, stderr } = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', netlabBinary, '--', 'true']);
  assert.equal(status, 77);
  assert.match(String(stderr), /^netlab: needs root \(CAP_NET_ADMIN[^\n]*\n$/);
});
