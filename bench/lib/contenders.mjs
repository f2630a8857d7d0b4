// The two programs side by side, with the same model, threads, slots and context.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startServer, temporaryFolder } from './processes.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const starling = process.env.STARLING_BIN ?? join(root, 'build/release/starling');
export const starter = join(root, 'models/starter.gguf');

const cache = process.env.STARLING_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'starling');
const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });

/** The build of llama.cpp that starling links: {folder, settings}, the latter as CMake keeps them. */
function llamaBuild() {
  const ours = readFileSync(join(root, 'build/release/CMakeCache.txt'), 'utf8');
  const folder = /^STARLING_LLAMA_BUILD_DIR:\w+=(.*)$/m.exec(ours)[1];
  return { folder, settings: readFileSync(join(folder, 'CMakeCache.txt'), 'utf8') };
}

/** llama-server from the very build of llama.cpp that starling links. */
export function llamaServer() {
  const { folder } = llamaBuild();
  const program = join(folder, 'bin/llama-server');
  if (!existsSync(program)) {
    console.error('bench: building llama-server, once (minutes)');
    run('cmake', ['--build', folder, '--target', 'llama-server']);
  }
  return program;
}

/**
 * llama-server and ggml-rpc-server from the same source, compiler and settings, with ggml-rpc on: {server, rpc}. In a
 * folder of their own, because a backend more would change what starling links.
 */
export function rpcPrograms() {
  const { folder, settings } = llamaBuild();
  const withRpc = `${folder}-rpc`;
  const programs = { server: join(withRpc, 'bin/llama-server'), rpc: join(withRpc, 'bin/ggml-rpc-server') };
  if (Object.values(programs).every(existsSync)) return programs;
  console.error('bench: building llama.cpp with ggml-rpc, once (minutes)');
  const kept = /^(?:(?:GGML|LLAMA)_[A-Z_]+|BUILD_SHARED_LIBS|CMAKE_BUILD_TYPE|CMAKE_POSITION_INDEPENDENT_CODE|CMAKE_C(?:XX)?_COMPILER(?:_LAUNCHER)?):(?!INTERNAL).*$/gm;
  const same = [...settings.matchAll(kept)].map(([line]) => `-D${line}`).filter((line) => !line.startsWith('-DGGML_RPC:'));
  const source = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(settings)[1];
  run('cmake', ['-S', source, '-B', withRpc, '-G', 'Ninja', ...same, '-DGGML_RPC=ON']);
  run('cmake', ['--build', withRpc, '--parallel', '2', '--target', 'llama-server', 'ggml-rpc-server']);
  return programs;
}

const small = ['--layers', '8', '--embd', '512', '--ff', '1408', '--heads', '8', '--kv-heads', '4', '--vocab', '4096'];
const settled = [...small, '--late-from', '2', '--late-share', '0.2'];
const seeded_models = {
  '28M': small,
  '28M-settled': settled, // the same work; of what its draft proposes, about 70 % is what it says itself
  '28M-settled-draft': [...settled, '--first-layers', '2'],
  '120M': ['--parameters', '120M', '--vocab', '32000'],
  '300M': ['--layers', '21', '--embd', '1024', '--vocab', '32000'],
};

/** A model of random weights: as much work as a real one of its size, and nothing to download. */
export function syntheticModel(size = '120M') {
  const file = join(cache, `bench/synthetic-${size}-q8_0-seed1.gguf`);
  if (existsSync(file)) return file;
  console.error(`bench: making ${basename(file)}, once`);
  run('bash', [join(root, 'dev'), 'build', 'release', 'synthetic_model']);
  const maker = execFileSync('find', [join(root, 'build/release'), '-name', 'synthetic_model', '-type', 'f'], { encoding: 'utf8' }).split('\n')[0];
  mkdirSync(dirname(file), { recursive: true });
  run(maker, ['--like', starter, '--out', `${file}.part`, ...seeded_models[size], '--type', 'q8_0', '--seed', '1']);
  renameSync(`${file}.part`, file);
  return file;
}

export async function startStarling({ model, slots, context, threads, extra = [], dataDir = temporaryFolder() }) {
  const port = await freePort();
  const args = ['serve', '--port', String(port), '--data-dir', dataDir, '--log-format', 'json', '--headless',
    '--slots', String(slots), '--ctx', String(context), '--threads', String(threads), ...extra];
  if (model) args.push('--model', model);
  return startServer({ name: 'starling', command: starling, args, port });
}

/** `promptCache`: keep the server's own cache of earlier prompts in memory, which is on by default. */
export async function startLlamaServer({ program, model, slots, context, threads, promptCache = false, port, extra = [], ...where }) {
  port ??= await freePort();
  const args = ['-m', model, '--host', '127.0.0.1', '--port', String(port), '-np', String(slots), '-c', String(slots * context),
    '-t', String(threads), '-tb', String(threads), '--no-webui', '--offline', ...extra];
  if (!promptCache) args.push('--cache-ram', '0');
  return startServer({ name: 'llama-server', command: program, args, port, ...where });
}
