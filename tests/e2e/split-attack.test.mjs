// What can go wrong on the disks and at the ports of machines that compute a model together.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { existsSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ask, assertSameText, startMesh, story, tellAndAfter } from './lib/mesh.mjs';
import { eventually } from './lib/server.mjs';
import { deployed, startSplit } from './lib/split.mjs';

const patient = { timeout: 120_000 };
const exact = { activations: 'f32' };
const length = 60;

let mesh, undisturbed;
before(async () => {
  mesh = await startSplit({ stages: 2, settings: exact });
  undisturbed = (await ask(mesh.nodes[0], story(length))).text;
});
after(() => mesh?.stop());

const slicesOf = (node) => path.join(node.dataDir, 'slices');
const peerPort = (node) => Number(/peer_port = (\d+)/.exec(readFileSync(path.join(node.dataDir, 'config.toml'), 'utf8'))[1]);

test('garbage at the peer ports of all stages while they answer: the answer is the same', patient, async () => {
  const socket = dgram.createSocket('udp4');
  const ports = mesh.nodes.map(peerPort);
  const flood = setInterval(() => {
    for (const port of ports) {
      const packet = randomBytes(1200);
      packet[0] = [0xc3, 0x43, 0x00, 0xff][Math.floor(Math.random() * 4)]; // as a handshake, as data, as nothing known
      socket.send(packet, port, '127.0.0.1');
    }
  }, 1);
  try {
    const told = await tellAndAfter(1, mesh.nodes[0], story(length), () => {});
    assert.equal(told.error, null);
    assertSameText(told.text, undisturbed);
  } finally {
    clearInterval(flood);
    socket.close();
  }
});

test('slices that an earlier run left broken are cut anew, and what was unfinished is removed', patient, async () => {
  await Promise.all(mesh.nodes.map((node) => node.stop()));
  const spoil = [
    (file) => truncateSync(file, 1000),
    (file) => writeFileSync(file, readFileSync(file, 'latin1').replaceAll('qwen3', 'qwen0'), 'latin1'), // well-formed, and of no use
  ];
  mesh.nodes.forEach((node, i) => {
    const slices = readdirSync(slicesOf(node)).filter((name) => name.endsWith('.gguf'));
    assert.ok(slices.length > 0, 'each stage has kept its slice');
    for (const name of slices) spoil[i](path.join(slicesOf(node), name));
    writeFileSync(path.join(slicesOf(node), 'x-0-4.gguf.1-0.tmp'), 'half of');
  });
  await mesh.restore();
  await deployed(mesh.nodes, { stages: 2 });
  assertSameText((await ask(mesh.nodes[0], story(length))).text, undisturbed);
  for (const node of mesh.nodes) assert.equal(existsSync(path.join(slicesOf(node), 'x-0-4.gguf.1-0.tmp')), false);
});

test('a machine whose disk is full takes no part, and says so; the others do without it', patient, async (t) => {
  const other = await startMesh({ workers: 3, settings: { split: 'never', ...exact }, serving: false });
  try {
    const [full, second, third] = other.workers;
    await Promise.all(other.nodes.map((node) => node.stop()));
    mkdirSync(slicesOf(full), { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', slicesOf(full)]).status !== 0) return t.skip('this needs the right to mount');
    t.after(() => spawnSync('umount', ['--lazy', slicesOf(full)]));
    for (const node of other.nodes) {
      const config = path.join(node.dataDir, 'config.toml');
      writeFileSync(config, readFileSync(config, 'utf8').replace('"never"', '"2"'));
    }
    for (const node of [full, second]) await node.start();
    assert.ok(await eventually(() => /disk is full/.test(full.log()), 20_000), 'it says so');
    await third.start();
    await deployed(other.nodes, { stages: 2, without: [full] });
    assertSameText((await ask(full, story(length))).text, undisturbed);
  } finally {
    for (const node of other.nodes) spawnSync('umount', ['--lazy', slicesOf(node)]);
    await other.stop();
  }
});
