// Starts the real binary and talks to it. Nothing here knows how the node is made.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = path.resolve(process.env.STARLING_BIN ?? path.join(root, 'build/release/starling'));
const readyWithinMs = 60_000; // sanitizer builds on a busy machine are slow; a healthy start takes under a second

export function temporaryDirectory() {
  return mkdtempSync(path.join(tmpdir(), 'starling-e2e-'));
}

/** Runs the binary to its end, `at` a host of lib/netlab.mjs or here: {code, stdout, stderr}. */
export function run(args, { input, env, at, timeoutMs = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = (at?.exec ?? spawn)(binary, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input ?? '');
  });
}

/**
 * A running `starling serve` on a free port, `at` a host of lib/netlab.mjs or here. It has a data directory of its own,
 * which ends with it, or the one that is given, which stays. `peerPort: null` leaves that port to the node's settings.
 */
export async function startServer({ args = [], env = {}, verb = ['serve'], apiKey, at, dataDir: kept, peerPort = 0 } = {}) {
  const dataDir = kept ?? temporaryDirectory();
  const peerArgs = peerPort === null ? [] : ['--peer-port', String(peerPort)];
  const keyArgs = [];
  if (apiKey) {
    const file = path.join(dataDir, 'keys');
    writeFileSync(file, apiKey + '\n', { mode: 0o600 });
    keyArgs.push('--api-key-file', file);
  }
  const launch = at?.exec ?? spawn;
  const child = launch(
    binary,
    [...verb, '--data-dir', dataDir, '--port', '0', ...peerArgs, '--log-format', 'json', ...keyArgs, ...args],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const server = { child, dataDir, stdout: '', stderr: '', exit: null };
  const exited = new Promise((resolve) => {
    child.on('close', (code, signal) => {
      server.exit = { code, signal };
      resolve(server.exit);
    });
  });
  child.stderr.on('data', (data) => (server.stderr += data));
  const ready = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => (child.kill('SIGKILL'), reject(new Error(`not ready: ${server.stdout}${server.stderr}`))), readyWithinMs);
    child.on('close', () => clearTimeout(timer) ?? reject(new Error(`ended before it was ready: ${server.stdout}${server.stderr}`)));
    child.stdout.on('data', (data) => {
      server.stdout += data;
      for (const line of server.stdout.split('\n')) {
        if (line.includes('"event":"ready"')) {
          clearTimeout(timer);
          resolve(JSON.parse(line));
        }
      }
    });
  });
  server.url = at ? await at.forward(Number(new URL(ready.api_url).port)) : ready.api_url;
  server.nodeId = ready.node_id;
  server.port = Number(new URL(server.url).port);
  server.client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: apiKey ?? 'none', maxRetries: 0, timeout: 600_000 });
  server.get = (where, options = {}) => fetch(server.url + where, options);
  server.json = async (where) => (await server.get(where)).json();
  server.post = (where, body, headers = {}) =>
    fetch(server.url + where, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  server.engine = async () => (await server.json('/api/status')).engine;
  server.stop = async (signal = 'SIGTERM') => {
    if (!server.exit) {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await exited;
      clearTimeout(timer);
    }
    if (!kept) rmSync(dataDir, { recursive: true, force: true });
    return server.exit;
  };
  return server;
}

/** Asks until `isSo` holds, for at most `timeoutMs`. */
export async function eventually(isSo, timeoutMs = 10_000) {
  const until = Date.now() + timeoutMs;
  for (;;) {
    if (await isSo()) {
      return true;
    }
    if (Date.now() > until) {
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const user = (content) => ({ role: 'user', content });
