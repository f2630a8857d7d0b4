// A model over several machines, as starling and as ggml-rpc run it: the same model file, the same hosts of an emulated
// network (host 1 is asked and coordinates), one thread for each process.
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { starter, startLlamaServer } from './contenders.mjs';
import { json, newMesh, until } from './mesh_nodes.mjs';
import { startProcess } from './processes.mjs';
import { get, stream } from './sse_client.mjs';

const rpc_port = 50052;
const api_port = 8080;

/** What clients call a model file. */
export const modelName = (file) => basename(file, '.gguf');

/** How `node` sees the deployment of a model: an entry of /api/deployments, or undefined. */
export const deployment = async (node, model) => (await json(node, '/api/deployments'))?.find((d) => d.model === model);

export const isServing = ({ state, stages }, count) => state === 'serving' && (!count || stages.length === count);

/** Asks for one token until it is answered, because then whatever there was to load is loaded; gives the time since the start. */
async function answersAfter(server, model) {
  const from = performance.now();
  let last;
  await until(async () => {
    last = await stream(server.url, '/v1/completions', { model, prompt: 'Once', max_tokens: 1, temperature: 0, stream: true }, { agent: false });
    return last.error === null;
  }, `${server.name} answers`).catch((error) => {
    throw new Error(`${error.message}: ${last?.error}`);
  });
  return server.ready_ms + performance.now() - from;
}

/** Workers for hosts 2 … `stages`; they have the model's file, and serve something small of their own. */
export async function starlingWorkers({ lab, model, stages, slots, context }) {
  const mesh = newMesh({ lab });
  mesh.others = [];
  for (let host = 2; host <= stages; host++) {
    mesh.others.push(await mesh.add('serve', { host, slots, context, model: starter, extra: ['--split', 'never', '--model-dir', dirname(model)] }));
  }
  return mesh;
}

/** The coordinator at host 1, of a mesh that starlingWorkers() began; resolves when it has answered its first request. */
export async function starlingCoordinator(mesh, { model, stages, slots, context, extra = [] }) {
  const node = await mesh.add('serve', { host: 1, slots, context, model, extra: ['--split', String(stages), ...extra] });
  const name = modelName(model);
  const answering_ms = await answersAfter(node, name);
  const { stages: placed } = await deployment(node, name);
  console.error(`bench: ${name}: layers ${placed.map((one) => `${one.first_layer}-${one.last_layer}`).join(', ')}`);
  return { ...node, model: name, answering_ms, stop: mesh.stop, mesh };
}

/** The whole of it; `model` null: one node that has the model as it is. */
export async function startStarlingSplit(what) {
  const mesh = await starlingWorkers(what);
  try {
    return await starlingCoordinator(mesh, what);
  } catch (error) {
    await mesh.stop();
    throw error;
  }
}

const listens = (pid, port) => {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').some((line) => line.includes(wanted) && line.includes(' 0A '));
};

/** ggml-rpc-server on hosts 2 … `stages`: {addresses, stop}. */
export async function rpcWorkers({ lab, programs, stages }) {
  const workers = [];
  for (let host = 2; host <= stages; host++) {
    const worker = startProcess({ name: `ggml-rpc-${host}`, command: programs.rpc, launch: (...what) => lab.exec(host, ...what),
      args: ['--host', lab.address(host), '--port', String(rpc_port), '--threads', '1'] });
    workers.push({ ...worker, address: `${lab.address(host)}:${rpc_port}` });
    await until(() => listens(worker.pid, rpc_port), `ggml-rpc-server at host ${host} listens`);
  }
  return { addresses: workers.map(({ address }) => address), stop: () => Promise.all(workers.map(({ stop }) => stop())) };
}

/** llama-server at host 1 with those servers for all layers, which is never slower for it than to keep some itself; resolves when it has answered its first request. */
export async function rpcCoordinator(workers, { lab, programs, model, slots, context }) {
  const server = await startLlamaServer({ program: programs.server, model, slots, context, threads: 1, port: api_port,
    extra: ['--rpc', workers.addresses.join(','), '-ngl', '99', '--fit', 'off'],
    launch: (...what) => lab.exec(1, ...what), url: await lab.forward(1, api_port) });
  const name = modelName(model);
  return { ...server, model: name, answering_ms: await answersAfter(server, name) };
}

export async function startRpcSplit(what) {
  const workers = await rpcWorkers(what);
  try {
    const server = await rpcCoordinator(workers, what);
    return { ...server, stop: async () => { await server.stop(); await workers.stop(); } };
  } catch (error) {
    await workers.stop();
    throw error;
  }
}

const echo = `const socket = require('dgram').createSocket('udp4');
socket.on('message', (what, from) => socket.send(what, from.port, from.address));
socket.bind(9, () => process.stdout.write('ready'));`;
const ping = `const socket = require('dgram').createSocket('udp4');
const times = [];
let sent;
const send = () => { sent = performance.now(); socket.send(Buffer.alloc(1100), 9, process.argv[1]); };
socket.on('message', () => {
  times.push(performance.now() - sent);
  if (times.length < 100) return send();
  console.log(times.sort((a, b) => a - b)[50]);
  process.exit();
});
send();`;

/** What a datagram of the size of a step takes from one host of the network to another, in ms: the programs that send and receive it subtracted. */
export async function oneWayTrip(lab) {
  const output = (child) => new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text))));
  const options = { stdio: ['ignore', 'pipe', 'inherit'] };
  const echoes = lab.exec(2, process.execPath, ['-e', echo], options);
  await output(echoes);
  const roundTrip = async (from) => Number(await output(lab.exec(from, process.execPath, ['-e', ping, lab.address(2)], options)));
  const trip = (await roundTrip(1) - await roundTrip(2)) / 2;
  echoes.kill();
  return trip;
}

/** The sum of all series of a counter whose labels contain `labels`. */
export async function counter(server, name, labels = '') {
  const { body } = await get(server.url, '/metrics');
  return body.split('\n').filter((line) => line.startsWith(name) && line.includes(labels)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
