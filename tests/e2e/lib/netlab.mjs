// Hosts in network namespaces of their own, joined by an emulated wide-area network: docs/netlab.md. Needs root.
import { spawn, spawnSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { binary } from './server.mjs';

export const netlabBinary = path.join(path.dirname(binary), 'netlab');
const readyWithinMs = 30_000; // a host takes about 20 ms, more on a busy machine
const goneWithinMs = 15_000; // netlab gives its command 5 s
const cannotHere = 77;

let labs = 0;
const newPrefix = () => `e2e-${process.pid}-${++labs}-`;

/** Why there can be no netlab here, for the `skip` of a test; false where there can. */
export const whyNoNetlab = (() => {
  const { status, stderr } = spawnSync(netlabBinary, ['--hosts', '1', '--prefix', newPrefix(), '--', 'true']);
  return status === cannotHere && String(stderr).trim();
})();

const optionsOf = ({ hosts = 2, delayMs = 0, jitterMs = 0, rateMbit = 0, lossPercent = 0, seed = 1, prefix }) => [
  '--hosts', hosts, '--delay-ms', delayMs, '--jitter-ms', jitterMs, '--rate-mbit', rateMbit,
  '--loss-percent', lossPercent, '--seed', seed, '--prefix', prefix,
].map(String);

/** A client of the control socket: asks one line, gives one line. */
function connectControl(where) {
  const socket = net.connect(where);
  const waiting = [];
  const fail = (error) => waiting.splice(0).forEach(({ reject }) => reject(error));
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('netlab is gone')));
  createInterface({ input: socket }).on('line', (line) => waiting.shift()?.resolve(line));
  const ask = (line) => new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new Error('netlab is gone'));
    waiting.push({ resolve, reject });
    socket.write(`${line}\n`);
  });
  return { ask, close: () => socket.destroy() };
}

// Runs in a host, is given connections that were made to this process, and joins each with the port.
const forwarder = `process.on('message', ([host, port], from) => {
  const to = require('net').connect(port, host);
  from.on('error', () => to.destroy()).on('close', () => to.destroy());
  to.on('error', () => from.destroy()).on('close', () => from.destroy());
  from.pipe(to).pipe(from);
});
process.on('disconnect', () => process.exit());`;

async function startForward(exec, host, port, address) {
  const child = exec(host, process.execPath, ['-e', forwarder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const server = net.createServer({ pauseOnConnect: true }, (socket) => child.send([address, port], socket));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    if (child.connected) child.disconnect();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/**
 * Starts netlab with the options {hosts, delayMs, jitterMs, rateMbit, lossPercent, seed, prefix}. Hosts count from 1.
 * It ends with stop(), or by itself when this process does.
 */
export async function startNetlab(options = {}) {
  const prefix = options.prefix ?? newPrefix();
  const keeper = ['sh', '-c', 'echo "$NETLAB_CONTROL"; exec cat >&2']; // lives until its input ends: with stop() or us
  const child = spawn(netlabBinary, [...optionsOf({ ...options, prefix }), '--', ...keeper]);
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  const exited = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const where = await new Promise((resolve, reject) => {
    const late = setTimeout(() => (child.kill(), reject(new Error(`netlab is not ready: ${said}`))), readyWithinMs);
    exited.then(({ code }) => reject(new Error(`netlab ended with ${code}: ${said}`))).then(() => clearTimeout(late));
    child.on('error', reject);
    createInterface({ input: child.stdout }).once('line', (line) => (clearTimeout(late), resolve(line)));
  });
  const control = connectControl(where);
  const forwards = [];
  const lab = { child, prefix, exited, controlPath: where };

  lab.address = (host) => `10.77.0.${host}`;
  lab.address6 = (host) => `fd77::${host}`;
  lab.name = (host) => `${prefix}${host}`;
  /** As child_process.spawn, in the network of a host. */
  lab.exec = (host, cmd, args = [], spawnOptions = {}) =>
    spawn('nsenter', [`--net=/run/netns/${lab.name(host)}`, '--', cmd, ...args], spawnOptions);
  /** A URL in this process's network for what listens on `port` of a host. */
  lab.forward = async (host, port, address = '127.0.0.1') => {
    forwards.push(await startForward(lab.exec, host, port, address));
    return forwards.at(-1).url;
  };
  /** One host, for startServer({ at }). */
  lab.at = (host) => ({ exec: lab.exec.bind(lab, host), forward: lab.forward.bind(lab, host) });
  /** One line for the control socket; its answer, or an error with what netlab complains about. */
  lab.control = async (...words) => {
    const answer = await control.ask(words.join(' '));
    if (answer.startsWith('error: ')) throw new Error(answer.slice('error: '.length));
    return answer;
  };
  for (const verb of ['cut', 'heal', 'block', 'delay', 'jitter', 'loss', 'duplicate', 'reorder', 'rate']) {
    lab[verb] = (...words) => lab.control(verb, ...words);
  }
  lab.stats = async () => JSON.parse(await lab.control('stats')).hosts;
  /** Everything that runs in a host is killed with it. */
  lab.stop = async () => {
    forwards.forEach(({ close }) => close());
    control.close();
    child.stdin.end();
    const late = setTimeout(() => child.kill('SIGTERM'), goneWithinMs);
    const exit = await exited;
    clearTimeout(late);
    return exit;
  };
  return lab;
}
