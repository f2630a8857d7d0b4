// Models that are cut by layers over several real nodes.
import assert from 'node:assert/strict';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeNode, startMesh } from './mesh.mjs';
import { eventually, startServer, user } from './server.mjs';

export const models = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../models');
export const layersOfStarter = 8;
export const widthOfStarter = 256; // numbers in the hidden state of one token
const formedWithinMs = 30_000; // a healthy deployment of the starter takes under a second

/** How a node sees the deployment of a model; undefined where there is none. */
export const deployment = async (node, model = 'starter') =>
  (await node.json('/api/deployments')).find((one) => one.model === model);

const servesOver = (seen, stages, without) => seen?.state === 'serving' && (!stages || seen.stages.length === stages) &&
  !seen.stages.some(({ node_id }) => without.some(({ id }) => id === node_id));

/** What a node has logged lately, but for requests. */
export const eventsOf = (node) => [`${node.name}, ${node.id.slice(0, 8)}:`, ...node.log().split('\n').filter((line) => line.includes('"message"'))
  .map((line) => JSON.parse(line)).filter(({ message }) => !/^(GET|POST) /.test(message)).slice(-30).map(({ time, message }) => `  ${time} ${message}`)].join('\n');

/** Waits until all of `nodes` see the same deployment serve, over so many stages, none of them at `without`; gives it. */
export async function deployed(nodes, { stages, without = [], model } = {}) {
  let seen;
  const isThere = await eventually(async () => {
    seen = await Promise.all(nodes.map((node) => deployment(node, model)));
    return seen.every((one) => servesOver(one, stages, without) && one.coordinator === seen[0].coordinator && one.epoch === seen[0].epoch);
  }, formedWithinMs);
  assert.ok(isThere, `no deployment of ${stages ?? 'some'} stages: ${JSON.stringify(seen)}\n${nodes.map(eventsOf).join('\n')}`);
  return seen[0];
}

/**
 * A mesh as startMesh() makes it, whose workers all name the same model (the starter, if `settings` name no other) and
 * split it over exactly `stages` of them; everyone sees the deployment serve when it returns.
 */
export async function startSplit({ stages, settings = {}, ...what }) {
  const mesh = await startMesh({ workers: stages, settings: { split: String(stages), ...settings }, serving: false, ...what });
  try {
    mesh.deployment = await deployed(mesh.nodes, { stages });
  } catch (failure) {
    await mesh.stop();
    throw failure;
  }
  /** Starts and heals what is not there, and waits for the deployment; gives it. */
  mesh.whole = async (more = {}) => {
    await mesh.restore();
    return (mesh.deployment = await deployed(mesh.nodes, { stages, ...more }));
  };
  return mesh;
}

/** One more worker for a mesh, as the others are; `settings` as in its configuration file. */
export async function join(mesh, { name, settings, lab, host }) {
  const where = lab ? { peer_bind: lab.address(host) } : {};
  const node = makeNode({ name, role: 'worker', at: lab?.at(host), settings: { ...settings, ...where } });
  node.host = host;
  await node.start('--join', await mesh.nodes[0].invite('worker'));
  mesh.nodes.push(node);
  mesh.workers.push(node);
  return node;
}

/** The nodes of a deployment in the order of their layers; the coordinator is the last. */
export const stageNodes = (mesh, { stages }) => stages.map(({ node_id }) => mesh.byId(node_id));

/** A node that has the whole model for itself. */
export const startAlone = (...args) => startServer({ args: ['--threads', '1', '--slots', '4', '--split', 'never', ...args] });

/** The sum of a node's counter over the series whose labels contain `labels`. */
export async function counter(node, name, labels = '') {
  const text = await (await node.server.get('/metrics')).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
  assert.ok(lines.length > 0, `${node.name} does not count ${name} ${labels}`);
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Requests whose greedy answers say much about a model: short and long, with and without its conversation format. */
export const greedy = [
  { model: 'starter', messages: [user('What is the capital of France?')], max_tokens: 32, temperature: 0 },
  { model: 'starter', messages: [user('Tell me a story about a lighthouse.')], max_tokens: 200, temperature: 0 },
  { model: 'starter', messages: [user(`Remember this: ${'a lighthouse on a cliff, '.repeat(40)}`)], max_tokens: 64, temperature: 0 },
];

export const textOf = async (client, body) => (await client.chat.completions.create(body)).choices[0].message.content;
