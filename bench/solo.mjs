// ./dev bench solo: one node side by side with llama-server, from the same llama.cpp and on the same files.
//
// Both servers run at once and are asked in turn, round by round, the order changing every round, so that both see the
// same machine. Requests carry token ids, so both get prompts of exactly the same length; no two prompts of a run are
// alike. Sampling is greedy and runs past the model's end token: both generate the same tokens.
import { setMaxListeners } from 'node:events';
import http from 'node:http';
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parse } from './lib/arguments.mjs';
import { llamaServer, starling, startLlamaServer, startStarling, starter, syntheticModel } from './lib/contenders.mjs';
import { figure, median, printTable, writeResults } from './lib/figures.mjs';
import { memory, runToEnd, temporaryFolder } from './lib/processes.mjs';
import { tokens } from './lib/prompts.mjs';
import { stream } from './lib/sse_client.mjs';

const options = parse({
  rounds: 5, threads: physicalCores(), slots: 16, context: 1024, tokens: 128,
  models: 'synthetic,starter', clients: '1,4,16', prompts: '32,512',
  parts: 'throughput,prefix,idle,start', no_results: false,
});
const list = (text) => text.split(',').filter(Boolean);
const program = llamaServer();
const figures = [];
const add = (what) => {
  figures.push(figure(what));
  console.error(`bench: ${what.name}: done`);
};

function physicalCores() {
  try {
    return new Set(execFileSync('lscpu', ['-p=Core,Socket'], { encoding: 'utf8' }).split('\n').filter((l) => l && !l.startsWith('#'))).size;
  } catch {
    return cpus().length;
  }
}

const modelFile = (name) => (name === 'synthetic' ? syntheticModel() : starter);

async function startBoth(model, promptCache = false) {
  const same = { model, slots: options.slots, context: options.context, threads: options.threads };
  const ours = await startStarling(same);
  try {
    return { ours, peer: await startLlamaServer({ ...same, program, promptCache }) };
  } catch (error) {
    await ours.stop();
    throw error;
  }
}

async function withBoth(model, promptCache, work) {
  const servers = await startBoth(model, promptCache);
  try {
    return await work(servers);
  } finally {
    await servers.ours.stop();
    await servers.peer.stop();
  }
}

/** `measure(server, round)` for both servers in every round, in turns; one round before them warms up and is dropped. */
async function rounds(servers, count, measure) {
  const samples = { ours: [], peer: [] };
  for (let round = -1; round < count; round++) {
    for (const side of round % 2 === 0 ? ['ours', 'peer'] : ['peer', 'ours']) {
      const sample = await measure(servers[side], round);
      if (round >= 0) samples[side].push(sample);
    }
  }
  return samples;
}

let next_seed = 1;
const seeds = new Map(); // both sides of a round get the same prompts
function seedOf(...key) {
  const name = key.join('/');
  if (!seeds.has(name)) seeds.set(name, next_seed++);
  return seeds.get(name);
}

/** Sends all requests at once; throws unless each answered with exactly the tokens that were asked for. */
async function burst(server, prompts, max_tokens) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  const started = performance.now();
  const answers = await Promise.all(prompts.map((prompt) => stream(server.url, '/v1/completions', {
    prompt, max_tokens, temperature: 0, ignore_eos: true, stream: true, stream_options: { include_usage: true },
  }, { agent })));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  for (const answer of answers) {
    if (answer.error) throw new Error(`${server.name}: ${answer.error}`);
    if (answer.usage?.completion_tokens !== max_tokens) {
      throw new Error(`${server.name} made ${answer.usage?.completion_tokens} tokens where ${max_tokens} were asked for`);
    }
  }
  return { tokens_per_s: (prompts.length * max_tokens) / seconds, first_ms: median(answers.map((a) => a.first_ms ?? a.total_ms)) };
}

async function throughput(name) {
  await withBoth(modelFile(name), false, async (servers) => {
    for (const prompt of list(options.prompts).map(Number)) {
      for (const clients of list(options.clients).map(Number)) {
        // A few clients are done in a second, which says little on a machine that others use too: they are asked more often.
        const samples = await rounds(servers, options.rounds * Math.max(1, Math.round(4 / clients)), (server, round) => burst(server,
          Array.from({ length: clients }, (_, i) => tokens(prompt, seedOf(name, prompt, clients, round, i))), options.tokens));
        const label = `${name}, prompt ${prompt}, ${clients} client${clients > 1 ? 's' : ''}`;
        const of = (field) => ({ ours: samples.ours.map((s) => s[field]), peer: samples.peer.map((s) => s[field]) });
        add({ name: `${label}: generated`, unit: 'tokens/s', ...of('tokens_per_s'), target: { ratio: clients === 1 ? 1.0 : 1.05, at: 'least' } });
        add({ name: `${label}: time to first token p50`, unit: 'ms', ...of('first_ms'), target: { ratio: 1.0, at: 'most' } });
      }
    }
    const peak = (server) => [memory(server.pid).peak / 2 ** 20];
    add({ name: `${name}: peak memory`, unit: 'MiB', ours: peak(servers.ours), peer: peak(servers.peer), target: { ratio: 1.05, at: 'most' } });
  });
}

async function sharedPrefix(name) {
  const requests = 32, shared = 400, own = 32, answer = 16;
  await withBoth(modelFile(name), true, async (servers) => {
    const samples = await rounds(servers, options.rounds, (server, round) => {
      const prefix = tokens(shared, seedOf(name, 'prefix', round));
      return burst(server, Array.from({ length: requests }, (_, i) => [...prefix, ...tokens(own, seedOf(name, 'own', round, i))]), answer);
    });
    add({ name: `${name}, ${requests} requests with ${shared} tokens in common: time to first token p50`, unit: 'ms',
      ours: samples.ours.map((s) => s.first_ms), peer: samples.peer.map((s) => s.first_ms), target: { ratio: 0.8, at: 'most' } });
  });
}

/** Streams that wait: one slot is kept busy and the others are queued behind it, connected and silent. */
async function idleStreams() {
  const count = 200, settle_ms = 1000, samples = [];
  for (let round = 0; round < options.rounds; round++) {
    const server = await startStarling({ model: starter, slots: 1, context: options.context, threads: options.threads, extra: ['--queue-limit', '256'] });
    const stopping = new AbortController();
    setMaxListeners(0, stopping.signal);
    const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
    const open = (max_tokens) => stream(server.url, '/v1/completions',
      { prompt: tokens(16, next_seed++), max_tokens, temperature: 0, ignore_eos: true, stream: true }, { agent, signal: stopping.signal });
    const settled = () => new Promise((resolve) => setTimeout(resolve, settle_ms));
    try {
      await open(8); // buffers that every process makes once
      const long = options.context - 32; // as long as can be: those that wait must still wait when memory is read
      const streams = [open(long)];
      await settled();
      const before = memory(server.pid).anonymous;
      for (let i = 0; i < count; i++) streams.push(open(long));
      await settled();
      samples.push((memory(server.pid).anonymous - before) / count / 1024);
      stopping.abort();
      await Promise.all(streams);
    } finally {
      agent.destroy();
      await server.stop();
    }
  }
  add({ name: `${count} waiting streams: memory of each`, unit: 'KiB', ours: samples, target: { ours: 64, at: 'most' } });
}

async function startUp() {
  const ready = { ours: [], peer: [] }, again = [], first_byte = [];
  const same = { slots: 1, context: options.context, threads: options.threads };
  for (let round = 0; round < options.rounds; round++) {
    const dataDir = temporaryFolder();
    let server = await startStarling({ ...same, dataDir });
    ready.ours.push(server.ready_ms);
    await server.stop();
    server = await startStarling({ ...same, dataDir });
    again.push(server.ready_ms);
    await server.stop();
    const peer = await startLlamaServer({ ...same, program, model: starter });
    ready.peer.push(peer.ready_ms);
    await peer.stop();

    const chat = await runToEnd(starling, ['chat', 'Hi', '--data-dir', dataDir]);
    if (chat.code !== 0 || chat.first_ms === null) throw new Error(`starling chat "Hi" ended with ${chat.code}: ${chat.errors}`);
    first_byte.push(chat.first_ms);
  }
  add({ name: 'start to ready, starter, new data folder', unit: 'ms', ...ready, target: { ours: 500, at: 'most' } });
  add({ name: 'start to ready, starter, second start', unit: 'ms', ours: again, peer: ready.peer, target: { ours: 500, at: 'most' } });
  add({ name: 'starling chat "Hi": first byte', unit: 'ms', ours: first_byte, target: { ours: 1000, at: 'most' } });
}

const parts = list(options.parts);
for (const name of list(options.models)) {
  if (parts.includes('throughput')) await throughput(name);
  if (parts.includes('prefix')) await sharedPrefix(name);
}
if (parts.includes('idle')) await idleStreams();
if (parts.includes('start')) await startUp();

printTable(figures);
const { no_results, ...settings } = options;
if (!no_results) console.error(`bench: written to ${writeResults('solo', settings, figures)}`);
