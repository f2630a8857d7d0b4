// ./dev bench split: a model cut by layers over several machines, beside ggml-rpc of the same build of llama.cpp.
//
// The machines are network namespaces on an emulated wide-area network (root): host 1 is asked and coordinates, hosts 2
// and 3 compute. Every program has one thread; both sides have the same model and are asked in turns.
//
// stream: one stream at several round trips, and how near it comes to what the distance and the computation allow.
// crowd: many streams. draft: one stream with speculative decoding. prefill: a long prompt. hop: what one hop costs
// beside distance and computation. ready: from the start of the coordinator to its first answer. kills: streams of which
// one stage is killed in mid-answer while a spare is there.
import http from 'node:http';
import { setMaxListeners } from 'node:events';
import { dirname } from 'node:path';
import { parse } from './lib/arguments.mjs';
import { rpcPrograms, starling, starter, startStarling, syntheticModel } from './lib/contenders.mjs';
import { figure, median, percentile, printTable, writeResults } from './lib/figures.mjs';
import { json, newMesh, until } from './lib/mesh_nodes.mjs';
import { random, tokens } from './lib/prompts.mjs';
import * as layouts from './lib/split_layouts.mjs';
import { stream } from './lib/sse_client.mjs';
import { story } from './lib/stories.mjs';

process.env.STARLING_BIN ??= starling;
const { startNetlab, whyNoNetlab } = await import('../tests/e2e/lib/netlab.mjs');

const options = parse({ rounds: 5, readies: 5, kills: 100, tokens: 128, parts: 'stream,crowd,draft,prefill,hop,ready,kills', no_results: false });
const stages = 3;
const hops = stages; // coordinator → first → … → coordinator, which runs the last stage
const context = 1024;
const figures = [];
const add = (what) => {
  figures.push(figure(what));
  const { ours, peer, ratio } = figures.at(-1);
  console.error(`bench: ${what.name}: ${ours.median}${peer ? `, ggml-rpc ${peer.median}, ratio ${ratio}` : ''} ${what.unit}`);
};
setMaxListeners(0);

let programs;
let next_seed = 1;

/** Both programs over the hosts of one lab, for `work({ours, peer})`. */
async function withBoth({ model, slots, peerModel = model, extra, delayMs = 0 }, work) {
  programs ??= rpcPrograms();
  const lab = await startNetlab({ hosts: stages, delayMs, seed: 7 });
  let ours, peer;
  try {
    const same = { lab, stages, slots, context };
    peer = await layouts.startRpcSplit({ ...same, programs, model: peerModel });
    ours = await layouts.startStarlingSplit({ ...same, model, extra });
    return await work({ ours, peer }, lab);
  } finally {
    await ours?.stop();
    await peer?.stop();
    await lab.stop();
  }
}

/** `measure(server, seed)` for all of `servers`, in turns; one round before the others warms up and is dropped. */
async function inTurns(servers, count, measure) {
  const names = Object.keys(servers);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < count; round++) {
    const seed = next_seed;
    next_seed += 100; // of one measurement, at most
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const sample = await measure(servers[name], seed);
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

async function complete(server, { prompt = 32, seed, max_tokens = options.tokens, agent = false }) {
  const answer = await stream(server.url, '/v1/completions', {
    model: server.model, prompt: tokens(prompt, seed), max_tokens, temperature: 0, ignore_eos: true, stream: true, stream_options: { include_usage: true },
  }, { agent });
  if (answer.error) throw new Error(`${server.name}: ${answer.error}`);
  if (answer.usage?.completion_tokens !== max_tokens) throw new Error(`${server.name} made ${answer.usage?.completion_tokens} tokens of ${max_tokens}`);
  return answer;
}

/** Tokens a second of one stream, from its first token to its last. */
async function pace(server, seed) {
  const { first_ms, total_ms } = await complete(server, { seed });
  return (options.tokens - 1) / ((total_ms - first_ms) / 1000);
}

/** Tokens a second of `count` streams that begin together. */
async function paceOfMany(server, seed, count) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  const started = performance.now();
  await Promise.all(Array.from({ length: count }, (_, i) => complete(server, { seed: seed + i, agent })));
  agent.destroy();
  return (count * options.tokens) / ((performance.now() - started) / 1000);
}

/** The whole model on one node with one thread: what the stages together have to compute. */
async function withWhole(model, work) {
  const whole = await startStarling({ model, slots: 1, context, threads: 1, extra: ['--peer-port', '0'] });
  try {
    return await work({ ...whole, model: layouts.modelName(model) });
  } finally {
    await whole.stop();
  }
}

// ----------------------------------------------------------------------------------------------------- distances

async function oneStream() {
  const model = syntheticModel('28M');
  const alone = await withWhole(model, (whole) => inTurns({ whole }, options.rounds, pace));
  const compute_ms = 1000 / median(alone.whole);
  // Connections that were begun at another distance have other windows, so each distance has a network of its own.
  for (const rtt_ms of [0, 10, 20]) {
    await withBoth({ model, slots: 1, delayMs: rtt_ms / 2 }, async (both, lab) => {
      const trip_ms = await layouts.oneWayTrip(lab);
      const { ours, peer } = await inTurns(both, options.rounds, pace);
      const label = `one stream, 2 remote stages, ${rtt_ms} ms round trip`;
      add({ name: label, unit: 'tokens/s', ours, peer, ...(rtt_ms && { target: { ratio: 1.6, at: 'least' } }) });
      if (!rtt_ms) return;
      const bound = 1000 / (hops * trip_ms + compute_ms);
      add({ name: `${label}: of the bound (${bound.toFixed(1)} tokens/s; a trip is ${trip_ms.toFixed(2)} ms)`, unit: 'share', ours: ours.map((rate) => rate / bound), target: { ours: 0.93, at: 'least' } });
    });
  }
}

async function crowd() {
  const model = syntheticModel('28M');
  for (const [streams, ratio] of [[8, 1.6], [16, 1.4]]) {
    await withBoth({ model, slots: streams, delayMs: 5 }, async (both) => {
      const samples = await inTurns(both, options.rounds, (server, seed) => paceOfMany(server, seed, streams));
      add({ name: `${streams} streams, 2 remote stages, 10 ms round trip`, unit: 'tokens/s', ...samples, target: { ratio, at: 'least' } });
    });
  }
}

async function draft() {
  const model = syntheticModel('28M-settled');
  const extra = ['--draft', syntheticModel('28M-settled-draft')];
  await withBoth({ model, slots: 1, extra, delayMs: 10 }, async (both) => {
    const samples = await inTurns(both, options.rounds, pace);
    const accepted = await layouts.counter(both.ours, 'starling_draft_tokens_total', 'accepted');
    const all = await layouts.counter(both.ours, 'starling_draft_tokens_total');
    add({ name: 'one stream with a draft, 20 ms round trip, ggml-rpc without', unit: 'tokens/s', ...samples, target: { ratio: 2.5, at: 'least' } });
    add({ name: 'tokens of the draft that were accepted', unit: '%', ours: [(100 * accepted) / all] });
  });
}

async function prefill() {
  const model = syntheticModel('28M');
  const length = 512;
  await withBoth({ model, slots: 1, delayMs: 5 }, async (both) => {
    const samples = await inTurns(both, options.rounds * 3, async (server, seed) => {
      const { total_ms } = await complete(server, { prompt: length, seed, max_tokens: 1 });
      return length / (total_ms / 1000);
    });
    add({ name: `prefill of ${length} tokens, 2 remote stages, 10 ms round trip`, unit: 'tokens/s', ...samples, target: { ratio: 1.3, at: 'least' } });
  });
}

// ------------------------------------------------------------------------------------------------------------ hop

async function hop() {
  const model = syntheticModel('28M');
  const split = await layouts.startStarlingSplit({ model, stages, slots: 1, context });
  try {
    await withWhole(model, async (whole) => {
      const between = async (server, seed) => {
        const times = [];
        const answer = await stream(server.url, '/v1/completions', {
          model: server.model, prompt: tokens(32, seed), max_tokens: options.tokens, temperature: 0, ignore_eos: true, stream: true,
        }, { agent: false, onText: () => times.push(performance.now()) });
        if (answer.error) throw new Error(answer.error);
        return median(times.slice(1).map((time, i) => time - times[i]));
      };
      const samples = await inTurns({ split, whole }, options.rounds * 3, between);
      add({ name: 'time between tokens p50, 3 stages on one machine', unit: 'ms', ours: samples.split });
      add({ name: 'time between tokens p50, whole model', unit: 'ms', ours: samples.whole });
      add({ name: 'what one hop costs p50, computation subtracted', unit: 'ms', ours: samples.split.map((ms, i) => (ms - samples.whole[i]) / hops), target: { ours: 0.3, at: 'most' } });
    });
  } finally {
    await split.stop();
  }
}

// ---------------------------------------------------------------------------------------------------------- ready

async function ready() {
  programs ??= rpcPrograms();
  const model = syntheticModel('300M');
  const lab = await startNetlab({ hosts: stages, rateMbit: 1000, seed: 7 });
  const same = { lab, programs, model, stages, slots: 1, context };
  const samples = { ours: [], peer: [] };
  try {
    for (let round = -1; round < options.readies; round++) {
      const workers = await layouts.rpcWorkers(same);
      const peer = await layouts.rpcCoordinator(workers, same);
      await peer.stop();
      await workers.stop();
      const mesh = await layouts.starlingWorkers(same);
      const ours = await layouts.starlingCoordinator(mesh, same).finally(() => mesh.stop());
      if (round < 0) continue;
      samples.ours.push(ours.answering_ms);
      samples.peer.push(peer.answering_ms);
    }
  } finally {
    await lab.stop();
  }
  add({ name: '300 M parameters, 1 Gbit/s: from start to the first answer', unit: 'ms', ...samples, target: { ratio: 0.333, at: 'most' } });
}

// ---------------------------------------------------------------------------------------------------------- kills

/** Streams of which a stage, drawn from a seed and not always the same, is killed in mid-answer; asked at a client. */
async function kills() {
  const lab = await startNetlab({ hosts: stages + 2, delayMs: 5, seed: 7 });
  const mesh = newMesh({ lab });
  try {
    const same = { sign: '/api/status', model: starter, extra: ['--split', String(stages), '--model-dir', dirname(starter)] };
    const workers = [];
    for (let i = 0; i <= stages; i++) workers.push(await mesh.add('serve', same)); // one more than it takes
    const entry = await mesh.add('client');
    const whole = async () => {
      let found;
      await until(async () => {
        const peers = (await json(entry, '/api/peers')) ?? [];
        if (!workers.every(({ id }) => peers.some((p) => p.node_id === id && p.state === 'alive' && p.rtt_ms !== null))) return false;
        found = await layouts.deployment(entry, 'starter');
        return found && layouts.isServing(found, stages);
      }, 'the deployment is whole, with a spare');
      return found;
    };
    const next = random(20261121);
    const counts = { complete: 0, equal: 0, coordinators: 0 };
    const pauses = [];
    for (let i = 0; i < options.kills; i++) {
      const { coordinator, stages: placed } = await whole();
      const undisturbed = await story(entry, i + 1);
      if (undisturbed.error) throw new Error(undisturbed.error);
      const at = 1 + Math.floor(next() * (undisturbed.pieces - 1));
      const { node_id } = placed[Math.floor(next() * placed.length)];
      const lost = workers.find(({ id }) => id === node_id);
      if (node_id === coordinator) counts.coordinators++;
      let gone;
      const disturbed = await story(entry, i + 1, (piece) => {
        if (piece >= at) gone ??= lost.kill();
      });
      await gone;
      if (!disturbed.error && disturbed.finished) counts.complete++;
      if (disturbed.text === undisturbed.text) counts.equal++;
      else console.error(`bench: kills ${i}: ${lost.name} at ${at}: ${disturbed.error ?? 'another text'}\n  ${undisturbed.text.slice(-120)}\n  ${disturbed.text.slice(-120)}`);
      pauses.push(disturbed.longest_ms);
      const part = ['first', 'middle', 'last'][placed.findIndex((one) => one.node_id === node_id)];
      console.error(`bench: kills ${i + 1}: the ${part} stage after ${at} of ${undisturbed.pieces}: ${Math.round(disturbed.longest_ms)} ms`);
      if (gone) await mesh.restart(lost);
      if ((i + 1) % 10 === 0) console.error(`bench: kills: ${i + 1} of ${options.kills}, ${counts.complete} complete, ${counts.equal} equal`);
    }
    const share = (count) => [(100 * count) / options.kills];
    add({ name: 'stage killed: streams that complete', unit: '%', ours: share(counts.complete), target: { ours: 100, at: 'least' } });
    add({ name: 'stage killed: text as if undisturbed', unit: '%', ours: share(counts.equal), target: { ours: 99, at: 'least' } });
    add({ name: 'stage killed: pause p50', unit: 'ms', ours: [percentile(pauses, 0.5)] });
    add({ name: 'stage killed: pause p95', unit: 'ms', ours: [percentile(pauses, 0.95)], target: { ours: 3000, at: 'most' } });
    add({ name: 'stage killed: it was the coordinator', unit: '%', ours: share(counts.coordinators) });
  } finally {
    await mesh.stop();
    await lab.stop();
  }
}

const work = { stream: oneStream, crowd, draft, prefill, hop, ready, kills };
for (const part of options.parts.split(',')) {
  if (part !== 'hop' && whyNoNetlab) {
    console.error(`bench: ${part} is left out: ${whyNoNetlab}`);
    continue;
  }
  await work[part]();
}
printTable(figures, 'ggml-rpc');
if (!options.no_results) console.error(`bench: written to ${writeResults('split', options, figures)}`);
