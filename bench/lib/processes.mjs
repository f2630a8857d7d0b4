// Programs that are measured: started, watched until they are ready, read out of /proc, and ended by their own id.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { get } from './sse_client.mjs';

const ready_limit_ms = 120_000; // the slowest machine loads the benchmark models in less
const stop_limit_ms = 10_000;
const poll_ms = 2;

const children = new Set();
const folders = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

export function temporaryFolder() {
  folders.push(mkdtempSync(join(tmpdir(), 'starling-bench-')));
  return folders.at(-1);
}

export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a program whose output goes into a file: {name, pid, log, child, stop, kill}. `launch` starts it where it is to run. */
export function startProcess({ name, command, args, env = {}, launch = spawn }) {
  const log = join(temporaryFolder(), `${name}.log`);
  const output = openSync(log, 'w');
  const child = launch(command, args, { stdio: ['ignore', output, output], env: { ...process.env, ...env } });
  closeSync(output);
  children.add(child);
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => {
    children.delete(child);
    resolve(signal ?? code);
  }));
  return { name, pid: child.pid, log, child, stop: () => stop(child, ended), kill: () => kill(child, ended) };
}

/**
 * Starts a server and waits until GET /health answers 200. `ready_ms` counts from just before the process was made.
 * `url` is where it is found from here. `sign`: the path that answers 200, if not /health.
 */
export async function startServer({ url, port, sign = '/health', ...what }) {
  const started = performance.now();
  const { child, ...running } = startProcess(what);
  const { name, log } = running;
  const server = { ...running, url: url ?? `http://127.0.0.1:${port}`, ready_ms: 0 };
  for (;;) {
    const health = await get(server.url, sign);
    if (health?.status === 200) break;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${name} ended while it started:\n${tail(log)}`);
    }
    if (performance.now() - started > ready_limit_ms) {
      await server.stop();
      throw new Error(`${name} was not ready after ${ready_limit_ms / 1000} s:\n${tail(log)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, poll_ms));
  }
  server.ready_ms = performance.now() - started;
  return server;
}

async function stop(child, ended) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), stop_limit_ms);
  await ended;
  clearTimeout(limit);
}

/** As a machine dies: nothing is told to anybody. */
async function kill(child, ended) {
  child.kill('SIGKILL');
  await ended;
}

/** Runs a program to its end; resolves to {code, first_ms, total_ms, output}: first_ms is the first byte on stdout. */
export function runToEnd(command, args, { env = {} } = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    children.add(child);
    const outcome = { code: null, first_ms: null, total_ms: null, output: '', errors: '' };
    child.stdout.on('data', (piece) => {
      outcome.first_ms ??= performance.now() - started;
      outcome.output += piece;
    });
    child.stderr.on('data', (piece) => { outcome.errors += piece; });
    child.once('close', (code) => {
      children.delete(child);
      outcome.code = code;
      outcome.total_ms = performance.now() - started;
      resolve(outcome);
    });
  });
}

export function tail(file, lines = 20) {
  return readFileSync(file, 'utf8').split('\n').slice(-lines).join('\n');
}

/** Memory of a process in bytes: {peak, resident, anonymous}. Anonymous leaves out mapped files such as the model. */
export function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return { peak: bytes('VmHWM'), resident: bytes('VmRSS'), anonymous: bytes('RssAnon') };
}

export function openFiles(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}
