// The two programs side by side, with the same model, threads, slots and context.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startServer, temporaryFolder } from './processes.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const starling = process.env.STARLING_BIN ?? join(root, 'build/release/starling');
export const starter = join(root, 'models/starter.gguf');

const cache = process.env.STARLING_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'starling');
const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });

/** llama-server from the very build of llama.cpp that starling links. */
export function llamaServer() {
  const settings = readFileSync(join(root, 'build/release/CMakeCache.txt'), 'utf8');
  const build = /^STARLING_LLAMA_BUILD_DIR:\w+=(.*)$/m.exec(settings)[1];
  const program = join(build, 'bin/llama-server');
  if (!existsSync(program)) {
    console.error('bench: building llama-server, once (minutes)');
    run('cmake', ['--build', build, '--target', 'llama-server']);
  }
  return program;
}

/** A model of about 120 million random weights: as much work as a real one of its size, and nothing to download. */
export function syntheticModel() {
  const file = join(cache, 'bench/synthetic-120M-q8_0-seed1.gguf');
  if (existsSync(file)) return file;
  console.error('bench: making the synthetic model, once');
  run('bash', [join(root, 'dev'), 'build', 'release', 'synthetic_model']);
  const maker = execFileSync('find', [join(root, 'build/release'), '-name', 'synthetic_model', '-type', 'f'], { encoding: 'utf8' }).split('\n')[0];
  mkdirSync(dirname(file), { recursive: true });
  run(maker, ['--like', starter, '--out', `${file}.part`, '--parameters', '120M', '--type', 'q8_0', '--vocab', '32000', '--seed', '1']);
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
export async function startLlamaServer({ program, model, slots, context, threads, promptCache = false }) {
  const port = await freePort();
  const args = ['-m', model, '--host', '127.0.0.1', '--port', String(port), '-np', String(slots), '-c', String(slots * context),
    '-t', String(threads), '-tb', String(threads), '--no-webui', '--offline'];
  if (!promptCache) args.push('--cache-ram', '0');
  return startServer({ name: 'llama-server', command: program, args, port });
}
