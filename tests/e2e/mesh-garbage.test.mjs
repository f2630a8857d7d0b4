// What strangers send to the port for other nodes changes nothing.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ask, startMesh, story } from './lib/mesh.mjs';

let mesh, worker, client, port;
before(async () => {
  mesh = await startMesh({ clients: 1 });
  [worker] = mesh.workers;
  [client] = mesh.clients;
  port = Number(/^peer_port = (\d+)$/m.exec(readFileSync(path.join(worker.dataDir, 'config.toml'), 'utf8'))[1]);
});
after(() => mesh?.stop());

/** Sends what `make` makes as fast as it goes, until it is told to stop; gives how many there were. */
function flood(make) {
  const socket = dgram.createSocket('udp4');
  socket.on('error', () => {});
  let sent = 0;
  let going = true;
  const step = () => {
    if (!going) return socket.close();
    for (let i = 0; i < 64; ++i) socket.send(make(sent++), port, '127.0.0.1');
    setImmediate(step);
  };
  step();
  return () => ((going = false), sent);
}

const beginningWith = (first, size) => {
  const bytes = randomBytes(size);
  bytes.set(first);
  return bytes;
};
const version1 = [0xc0, 0, 0, 0, 1];

for (const [what, make] of [
  ['random datagrams', () => randomBytes(1 + Math.floor(Math.random() * 1400))],
  ['packets that begin like those of a new connection', () => beginningWith([...version1, 8], 1200)],
  ['packets of versions that there are not', () => beginningWith([0xc0, 1, 2, 3, 4, 8], 1200)],
  ['packets that begin like those of a connection', () => beginningWith([0x40], 60)],
]) {
  test(`${what} at full speed: chats go on`, async () => {
    const stop = flood(make);
    const until = Date.now() + 1500;
    let answers = 0;
    while (Date.now() < until) {
      const { text, by } = await ask(client, story(8, answers++));
      assert.ok(text.length > 0);
      assert.equal(by, worker.id);
    }
    const sent = stop();
    console.log(`${what}: ${sent} sent, ${answers} answers meanwhile`);
    assert.ok(answers > 1);
    assert.ok(await client.isConnectedTo(worker));
    assert.equal(worker.server.exit, null);
  });
}

test('there is nothing for TCP at that port', async () => {
  const failure = await new Promise((resolve) => {
    net.connect(port, '127.0.0.1', () => resolve(null)).on('error', ({ code }) => resolve(code));
  });
  assert.equal(failure, 'ECONNREFUSED');
});

test('when it is over, the node has no errors to tell of, and the memory is what it was', async () => {
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker.server.child.pid}/status`, 'utf8'))[1]);
  console.log(`${Math.round(resident / 1024)} MiB resident`);
  assert.ok(!/"level":"(error|critical)"/.test(worker.log()), worker.log());
  assert.ok(worker.log().length < 1 << 20, 'garbage fills the log');
  assert.equal((await ask(client, story(8))).by, worker.id);
});
