// Several real nodes that form a mesh, on this machine or on hosts of lib/netlab.mjs.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventually, run, startServer, temporaryDirectory, user } from './server.mjs';

const meetWithinMs = 30_000; // a healthy mesh takes under a second

/** One thread each, so that nodes that share a machine's cores do not wait for each other actively. */
const usualSettings = { threads: 1, slots: 4 };

const toml = (settings) => Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('');

const freeUdpPort = () => new Promise((resolve) => {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => {
    const { port } = socket.address();
    socket.close(() => resolve(port));
  });
});

/** A node that may be started, killed and started again: its settings are in its data directory and stay, with its port. */
export function makeNode({ name, role, at, settings = {}, dataDir = temporaryDirectory() }) {
  const node = { name, role, dataDir, at, logs: '' };
  const verb = [role === 'client' ? 'client' : 'serve'];
  node.start = async (...args) => {
    if (!node.server) {
      const own = { ...(role === 'worker' && usualSettings), ...(!at && { peer_port: await freeUdpPort() }), ...settings };
      writeFileSync(path.join(dataDir, 'config.toml'), toml({ name, ...own }));
    }
    node.server = await startServer({ verb, args, at, dataDir, peerPort: null });
    node.id = node.server.nodeId;
    node.client = node.server.client;
    node.json = node.server.json;
    return node;
  };
  node.signal = (name) => node.server.child.kill(name);
  node.kill = () => node.server.stop('SIGKILL');
  node.stop = () => node.server?.stop();
  node.log = () => node.server.stderr;
  node.run = (...args) => run([...args, '--data-dir', dataDir], { at });
  node.status = () => node.json('/api/status');
  node.routing = async () => (await node.status()).routing;
  /** How this node sees another one; undefined when it does not. */
  node.sees = async (other) => (await node.json('/api/peers')).find(({ node_id }) => node_id === other.id);
  node.isConnectedTo = async (other) => typeof (await node.sees(other))?.rtt_ms === 'number';
  node.invite = async (inviteRole = 'worker', ...args) => {
    const made = await node.run('invite', '--no-qr', '--role', inviteRole, ...args);
    assert.equal(made.code, 0, made.stderr);
    return made.stdout.trim();
  };
  node.remove = async () => {
    if (node.server && !node.server.exit) node.signal('SIGCONT'); // a stopped process cannot end
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return node;
}

/** Those of `others` that a node does not see alive, connected and, where `serving`, with a model that it serves alone. */
async function missingAt(node, others, serving) {
  const peers = await node.json('/api/peers');
  const isThere = (other) => peers.some(({ node_id, state, rtt_ms, models }) =>
    node_id === other.id && state === 'alive' && typeof rtt_ms === 'number' && (!serving || other.role === 'client' || models.length > 0));
  return others.filter((other) => other !== node && !isThere(other));
}

/**
 * Starts so many workers and clients, each at a host of `lab` (workers first) or on this machine, the first one as the
 * beginning of a mesh and the others with its invites; `settings` go into every worker's configuration file, or are made
 * for its number. Everyone sees everyone when it returns, and whether each serves a model, unless `serving` is false.
 */
export async function startMesh({ workers = 1, clients = 0, lab, settings = {}, clientSettings = {}, serving = true } = {}) {
  const mesh = { nodes: [] };
  const add = (role, number, own) => {
    const host = mesh.nodes.length + 1;
    const where = lab ? { peer_bind: lab.address(host) } : {};
    const node = makeNode({ name: `${role}${number}`, role, at: lab?.at(host), settings: { ...own, ...where } });
    node.host = host;
    mesh.nodes.push(node);
    return node;
  };
  mesh.workers = Array.from({ length: workers }, (_, i) =>
    add('worker', i + 1, typeof settings === 'function' ? settings(i + 1) : settings));
  mesh.clients = Array.from({ length: clients }, (_, i) => add('client', i + 1, clientSettings));
  const [first, ...others] = mesh.nodes;

  /** Waits until each of `nodes` sees all the others, alive and serving. */
  mesh.meet = async (nodes = mesh.nodes) => {
    const missing = async () => (await Promise.all(nodes.map(async (node) =>
      (await missingAt(node, nodes, serving)).map((other) => `${node.name} does not see ${other.name}`)))).flat();
    const met = await eventually(async () => (await missing()).length === 0, meetWithinMs);
    assert.ok(met, (await missing()).join(', '));
  };
  /** Starts whatever has ended, wakes whatever was stopped, and waits until everyone sees everyone. */
  mesh.restore = async () => {
    for (const node of mesh.nodes) {
      if (node.server.exit) await node.start();
      else node.signal('SIGCONT');
    }
    await mesh.meet();
  };
  mesh.byId = (id) => mesh.nodes.find((node) => node.id === id);
  mesh.stop = () => Promise.all(mesh.nodes.map((node) => node.remove()));

  try {
    await first.start();
    await Promise.all(others.map(async (node) => {
      node.joinedWith = await first.invite(node.role);
      await node.start('--join', node.joinedWith);
    }));
    await mesh.meet();
  } catch (failure) {
    await mesh.stop();
    throw failure;
  }
  return mesh;
}

/** A story of that many tokens, no fewer, the same whoever tells it. */
export const story = (tokens, seed = 1) => ({
  model: 'starter',
  messages: [user('Tell me a story about a lighthouse.')],
  max_tokens: tokens,
  ignore_eos: true,
  temperature: 0.8,
  seed,
});

/** Asks a node: {text, by (the id of who answered), usage}. */
export async function ask(node, body) {
  const { data, response } = await node.client.chat.completions.create(body).withResponse();
  return { text: data.choices[0].message.content, by: response.headers.get('x-starling-node'), usage: data.usage };
}

/**
 * Asks a node for a stream and reads it to its end: {text, by, finish, longestPauseMs, error, moves}, the moves as the
 * node tells them, each with `after`, the pieces before it. `onToken(by, count)` is called for each piece, and waited for
 * where it gives something to wait for.
 */
export async function tell(node, body, onToken = () => {}) {
  const streaming = node.client.chat.completions.create({ ...body, stream: true });
  const { data, response } = await streaming.withResponse();
  const told = { text: '', by: response.headers.get('x-starling-node'), finish: null, longestPauseMs: 0, error: null, moves: [] };
  let count = 0;
  let last = performance.now();
  try {
    for await (const chunk of data) {
      const now = performance.now();
      told.longestPauseMs = Math.max(told.longestPauseMs, now - last);
      last = now;
      told.finish = chunk.choices[0]?.finish_reason ?? told.finish;
      if (chunk.starling) told.moves.push({ ...chunk.starling, after: count });
      const piece = chunk.choices[0]?.delta?.content;
      if (!piece) continue;
      told.text += piece;
      await onToken(told.by, ++count);
    }
  } catch (failure) {
    told.error = failure;
  }
  return told;
}

/** A worker of one slot and one place in its queue. */
export const smallSettings = { slots: 1, queue_limit: 1 };

export const isFull = async (node) => {
  const { busy, queued } = await node.server.engine();
  return busy + queued === 2;
};

/**
 * Asks such a worker for long stories until it is full; what it passed on to others meanwhile is given up then. Gives
 * what ends them all, and tells how each has ended.
 */
export async function fill(node) {
  const stories = [];
  let isEnough = false;
  /** On a busy machine it is known late who has taken a story. */
  const giveUpElsewhere = ({ by, leaving }) => {
    if (isEnough && by && by !== node.id) leaving.abort();
  };
  const askOne = async (one) => {
    try {
      const body = { ...story(1800, stories.length), stream: true };
      const { data, response } = await node.client.chat.completions.create(body, { signal: one.leaving.signal }).withResponse();
      one.by = response.headers.get('x-starling-node');
      giveUpElsewhere(one);
      for await (const _ of data); // ends with an exception when it is given up
      return 200;
    } catch ({ status }) {
      return status;
    }
  };
  const full = await eventually(async () => {
    const one = { leaving: new AbortController() };
    one.ended = askOne(one);
    stories.push(one);
    await new Promise((resolve) => setTimeout(resolve, 50)); // until it has taken it, or passed it on
    return isFull(node);
  });
  assert.ok(full, `${node.name} never was full`);
  isEnough = true;
  stories.forEach(giveUpElsewhere);
  return () => Promise.all(stories.map(({ leaving, ended }) => (leaving.abort(), ended)));
}

/** Says where two long texts part, instead of both. */
export function assertSameText(actual, expected) {
  let same = 0;
  while (same < expected.length && actual[same] === expected[same]) same++;
  const around = (text) => JSON.stringify(text.slice(Math.max(0, same - 20), same + 20));
  assert.ok(actual === expected, `the texts part after ${same} of ${expected.length} characters: ${around(actual)} for ${around(expected)}`);
}

/** A stream in which something happens, once, when so many pieces of it are there. */
export const tellAndAfter = (pieces, node, body, happens) =>
  tell(node, body, (by, count) => (count === pieces ? happens(by) : undefined));
