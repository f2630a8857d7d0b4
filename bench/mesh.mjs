// ./dev bench mesh: what the mesh costs, and what it does when a worker is lost.
//
// Relay: the same request made to a worker, and through another node to that worker, in turns. Loss: streams whose worker
// is killed, or cut off the network, at a token drawn from a seed, while another worker is warm; the text is compared
// with that of the same request undisturbed. Join: from the start of a process to its first routed token. Crowd: many
// streams through one node at once. Workers have one thread each; the cut and the distance need network namespaces
// (root), and are left out where there are none.
import http from 'node:http';
import { setMaxListeners } from 'node:events';
import { parse } from './lib/arguments.mjs';
import { starling, starter, syntheticModel } from './lib/contenders.mjs';
import { figure, median, percentile, printTable, writeResults } from './lib/figures.mjs';
import { json, newMesh } from './lib/mesh_nodes.mjs';
import { memory } from './lib/processes.mjs';
import { random, tokens } from './lib/prompts.mjs';
import { stream } from './lib/sse_client.mjs';
import { story } from './lib/stories.mjs';

process.env.STARLING_BIN ??= starling;
const { startNetlab, whyNoNetlab } = await import('../tests/e2e/lib/netlab.mjs');

const options = parse({ rounds: 7, losses: 100, joins: 7, crowd: 500, tokens: 128, parts: 'relay,kill,cut,join,crowd', no_results: false });
const parts = options.parts.split(',');
const figures = [];
const add = (what) => {
  figures.push(figure(what));
  console.error(`bench: ${what.name}: done`);
};
setMaxListeners(0);

/** A streamed completion with the times at which its pieces came. */
async function timed(node, body, { agent } = {}) {
  const times = [];
  const outcome = await stream(node.url, '/v1/completions', { stream: true, stream_options: { include_usage: true }, ...body }, { agent, onText: () => times.push(performance.now()) });
  if (outcome.error) throw new Error(`${node.name}: ${outcome.error}`);
  return { ...outcome, gaps: times.slice(1).map((t, i) => t - times[i]) };
}

// ---------------------------------------------------------------------------------------------------------- relay

async function relay() {
  const mesh = newMesh();
  try {
    const worker = await mesh.add('serve', { slots: 16, model: syntheticModel() });
    const entry = await mesh.add('client');
    await mesh.sees(entry, [worker]);
    let seed = 1;
    const ask = (node, agent, prompt = 32, max = options.tokens) =>
      timed(node, { prompt: tokens(prompt, seed++), max_tokens: max, temperature: 0, ignore_eos: true }, { agent });
    const samples = { gap: { ours: [], peer: [] }, first: { ours: [], peer: [] }, rate: { ours: [], peer: [] } };
    const sides = { ours: entry, peer: worker };
    const agents = { ours: new http.Agent({ keepAlive: true, maxSockets: Infinity }), peer: new http.Agent({ keepAlive: true, maxSockets: Infinity }) };
    for (let round = -1; round < options.rounds; round++) {
      const order = round % 2 === 0 ? ['ours', 'peer'] : ['peer', 'ours'];
      const gaps = { ours: [], peer: [] };
      const firsts = { ours: [], peer: [] };
      for (let turn = 0; turn < 6; turn++) {
        for (const side of order) {
          const one = await ask(sides[side], agents[side]);
          gaps[side].push(...one.gaps);
          firsts[side].push(one.first_ms);
        }
      }
      const rates = {};
      for (const side of order) {
        const started = performance.now();
        await Promise.all(Array.from({ length: 16 }, () => ask(sides[side], agents[side])));
        rates[side] = (16 * options.tokens) / ((performance.now() - started) / 1000);
      }
      if (round < 0) continue;
      for (const side of order) {
        samples.gap[side].push(median(gaps[side]));
        samples.first[side].push(median(firsts[side]));
        samples.rate[side].push(rates[side]);
      }
    }
    const added = (of) => of.ours.map((value, i) => value - of.peer[i]);
    add({ name: 'time between tokens p50, through another node', unit: 'ms', ...samples.gap });
    add({ name: 'added time per token p50', unit: 'ms', ours: added(samples.gap), target: { ours: 0.2, at: 'most' } });
    add({ name: 'time to first token p50, through another node', unit: 'ms', ...samples.first });
    add({ name: 'added time to first token p50', unit: 'ms', ours: added(samples.first), target: { ours: 2, at: 'most' } });
    add({ name: '16 streams through another node', unit: 'tokens/s', ...samples.rate, target: { ratio: 0.97, at: 'least' } });
    Object.values(agents).forEach((agent) => agent.destroy());
  } finally {
    await mesh.stop();
  }
}

// ----------------------------------------------------------------------------------------------------------- loss

async function losses({ label, lab, lose, regain, pause_limit_ms }) {
  const mesh = newMesh({ lab });
  try {
    const entryFirst = await mesh.add('serve', { model: starter });
    const second = await mesh.add('serve', { model: starter });
    const entry = await mesh.add('client');
    const workers = [entryFirst, second];
    await mesh.sees(entry, workers);
    const next = random(20261121);
    const pauses = [];
    let complete = 0;
    let equal = 0;
    for (let i = 0; i < options.losses; i++) {
      const undisturbed = await story(entry, i + 1);
      if (undisturbed.error) throw new Error(undisturbed.error);
      const at = 1 + Math.floor(next() * (undisturbed.pieces - 1));
      let lost = null;
      const disturbed = await story(entry, i + 1, (piece, node) => {
        if (piece >= at && !lost) {
          lost = { worker: workers.find((worker) => worker.id === node) };
          lost.gone = lose(lost.worker);
        }
      });
      await lost?.gone;
      if (!disturbed.error && disturbed.finished) complete++;
      if (disturbed.text === undisturbed.text) equal++;
      else console.error(`bench: ${label} ${i}: at ${at}: ${disturbed.error ?? 'another text'}\n  ${undisturbed.text.slice(-120)}\n  ${disturbed.text.slice(-120)}`);
      pauses.push(disturbed.longest_ms);
      if (lost) {
        await regain(mesh, lost.worker);
        await mesh.sees(entry, workers);
      }
      if ((i + 1) % 10 === 0) console.error(`bench: ${label}: ${i + 1} of ${options.losses}, ${equal} equal`);
    }
    const share = (count) => [(100 * count) / options.losses];
    add({ name: `${label}: streams that complete`, unit: '%', ours: share(complete), target: { ours: 100, at: 'least' } });
    add({ name: `${label}: text as if undisturbed`, unit: '%', ours: share(equal), target: { ours: 99, at: 'least' } });
    add({ name: `${label}: pause p50`, unit: 'ms', ours: [percentile(pauses, 0.5)] });
    add({ name: `${label}: pause p95`, unit: 'ms', ours: [percentile(pauses, 0.95)], target: { ours: pause_limit_ms, at: 'most' } });
    const { routing } = await json(entry, '/api/status');
    add({ name: `${label}: streams that went on elsewhere`, unit: 'of all', ours: [routing.resumed] });
  } finally {
    await mesh.stop();
  }
}

const killed = () => losses({
  label: 'worker killed',
  lose: (worker) => worker.kill(),
  regain: (mesh, worker) => mesh.restart(worker),
  pause_limit_ms: 1000,
});

async function cutOff() {
  const lab = await startNetlab({ hosts: 3, delayMs: 0, seed: 7 });
  try {
    await losses({
      label: 'link cut', lab,
      lose: (worker) => lab.cut(worker.host),
      regain: (_, worker) => lab.heal(worker.host),
      pause_limit_ms: 4000,
    });
  } finally {
    await lab.stop();
  }
}

// ----------------------------------------------------------------------------------------------------------- join

async function joins({ label, lab, limit_ms }) {
  const samples = [];
  for (let i = 0; i < options.joins; i++) {
    const mesh = newMesh({ lab });
    try {
      await mesh.add('serve', { model: starter });
      const invite = await mesh.invite('client');
      const started = performance.now();
      const entry = await mesh.add('client', { invite });
      const answer = await stream(entry.url, '/v1/completions', { model: 'starter', prompt: 'Once', max_tokens: 4, stream: true });
      if (answer.error) throw new Error(answer.error);
      samples.push(performance.now() - started - (answer.total_ms - answer.first_ms));
    } finally {
      await mesh.stop();
    }
  }
  add({ name: `${label}: from start and join to first routed token`, unit: 'ms', ours: samples, target: { ours: limit_ms, at: 'most' } });
}

async function joinAll() {
  await joins({ label: 'loopback', limit_ms: 1000 });
  if (whyNoNetlab) return;
  const lab = await startNetlab({ hosts: 2, delayMs: 25, seed: 7 });
  try {
    await joins({ label: '50 ms round trip', lab, limit_ms: 2000 });
  } finally {
    await lab.stop();
  }
}

// ---------------------------------------------------------------------------------------------------------- crowd

async function crowd() {
  const mesh = newMesh();
  try {
    const many = { model: starter, slots: 8, extra: ['--queue-limit', '1000'] };
    const workers = [await mesh.add('serve', many), await mesh.add('serve', many)];
    const entry = await mesh.add('client');
    await mesh.sees(entry, workers);
    const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
    const ask = (seed) => stream(entry.url, '/v1/completions', { model: 'starter', prompt: tokens(16, seed), max_tokens: 24, stream: true, ignore_eos: true, stream_options: { include_usage: true } }, { agent });
    await Promise.all(Array.from({ length: 8 }, (_, i) => ask(i)));
    const before = memory(entry.pid);
    const answers = await Promise.all(Array.from({ length: options.crowd }, (_, i) => ask(1000 + i)));
    const failed = answers.filter((a) => a.error || a.usage?.completion_tokens !== 24);
    if (failed.length) console.error(`bench: crowd: ${failed[0].error ?? JSON.stringify(failed[0])}`);
    const after = memory(entry.pid);
    add({ name: `${options.crowd} streams at once through one node: failed`, unit: 'streams', ours: [failed.length], target: { ours: 0, at: 'most' } });
    add({ name: `${options.crowd} streams at once: memory of the entry node for each`, unit: 'KiB', ours: [(after.peak - before.peak) / 1024 / options.crowd], target: { ours: 128, at: 'most' } });
    agent.destroy();
  } finally {
    await mesh.stop();
  }
}

const work = { relay, kill: killed, cut: cutOff, join: joinAll, crowd };
for (const part of parts) {
  if (part === 'cut' && whyNoNetlab) {
    console.error(`bench: cut is left out: ${whyNoNetlab}`);
    continue;
  }
  await work[part]();
}
printTable(figures, 'direct');
if (!options.no_results) console.error(`bench: written to ${writeResults('mesh', options, figures)}`);
