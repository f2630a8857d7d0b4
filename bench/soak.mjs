// ./dev bench soak [--minutes 10]: mixed load with clients that leave at random moments. Fails if memory grows, if a
// slot or a descriptor is not given back, if an answer is wrong, or if the node dies.
import http from 'node:http';
import { parse } from './lib/arguments.mjs';
import { startStarling } from './lib/contenders.mjs';
import { figure, median, printTable, writeResults } from './lib/figures.mjs';
import { memory, openFiles } from './lib/processes.mjs';
import { random } from './lib/prompts.mjs';
import { get, stream } from './lib/sse_client.mjs';

const options = parse({ minutes: 10, clients: 8, slots: 4, seed: Date.now() % 1e9, no_results: false });
const sample_ms = 500;
const growth_limit_mib = 8; // allocator noise stays well below; a leak of 1 KiB a request does not
const drain_limit_ms = 5000;

console.error(`bench: soak for ${options.minutes} min, seed ${options.seed}`);
const server = await startStarling({ slots: options.slots, context: 512, threads: 2 });
const agent = new http.Agent({ keepAlive: true, maxSockets: options.clients });
const ends_at = performance.now() + options.minutes * 60_000;
const counts = { answered: 0, left: 0, refused: 0, other: 0 };
const failures = [];
const expect = (true_, what) => { if (!true_) failures.push(what); };

const words = 'lighthouse garden river mountain number story winter bread music window seven friend ocean why how tell'.split(' ');
const sentence = (next, count) => Array.from({ length: count }, () => words[Math.floor(next() * words.length)]).join(' ');

async function answered(next, path, body) {
  const outcome = await stream(server.url, path, body, { agent });
  expect(!outcome.error && outcome.usage, `${path}: ${outcome.error ?? 'no usage in the stream'}`);
  counts.answered++;
}

/** Leaves after a random time or a random number of pieces of text, wherever the answer is by then. */
async function leaving(next, path, body) {
  const client = new AbortController();
  let pieces = Math.floor(next() * 12);
  const limit = setTimeout(() => client.abort(), 1 + next() * 800);
  await stream(server.url, path, body, { signal: client.signal, onText: () => { if (pieces-- === 0) client.abort(); } });
  clearTimeout(limit);
  counts.left++;
}

async function refused(next) {
  const bad = ['{"model":', '[]', '{"messages":5}', '{"messages":[{"role":"nobody","content":"x"}]}', '{"messages":[],"temperature":"hot"}'];
  const body = bad[Math.floor(next() * bad.length)];
  const status = await new Promise((resolve) => {
    const request = http.request(new URL('/v1/chat/completions', server.url), { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => { response.resume(); response.on('end', () => resolve(response.statusCode)); });
    request.on('error', (error) => resolve(error.message));
    request.end(body);
  });
  expect(status === 400, `a bad request was answered with ${status}: ${body}`);
  counts.refused++;
}

async function other(next) {
  const paths = ['/v1/models', '/metrics', '/api/status', '/health'];
  const path = paths[Math.floor(next() * paths.length)];
  const answer = await get(server.url, path);
  expect(answer?.status === 200, `GET ${path}: ${answer?.status ?? 'no answer'}`);
  counts.other++;
}

async function runClient(seed) {
  const next = random(seed);
  while (performance.now() < ends_at && failures.length === 0) {
    const chat = next() < 0.6;
    const text = sentence(next, 3 + Math.floor(next() * 120));
    const body = {
      model: 'starter', max_tokens: 4 + Math.floor(next() * 60), temperature: next() < 0.5 ? 0 : 0.9, seed: Math.floor(next() * 1e6),
      stream: true, stream_options: { include_usage: true },
      ...(chat ? { messages: [{ role: 'user', content: text }] } : { prompt: text }),
    };
    const path = chat ? '/v1/chat/completions' : '/v1/completions';
    const dice = next();
    if (dice < 0.45) await answered(next, path, body);
    else if (dice < 0.85) await leaving(next, path, body);
    else if (dice < 0.92) await refused(next);
    else await other(next);
  }
}

const samples = [];
const sampler = setInterval(() => {
  try {
    samples.push({ at: performance.now(), bytes: memory(server.pid).anonymous });
  } catch {
    failures.push('the node is gone');
  }
}, sample_ms);
const files_before = openFiles(server.pid);
await Promise.all(Array.from({ length: options.clients }, (_, i) => runClient(options.seed + i)));
clearInterval(sampler);
agent.destroy();

// Everything that a client left behind must be given back.
const drain_ends = performance.now() + drain_limit_ms;
let engine, files_after;
do {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const status = await get(server.url, '/api/status');
  engine = status ? JSON.parse(status.body).engine : undefined;
  files_after = engine ? openFiles(server.pid) : NaN;
} while (engine && (engine.busy > 0 || engine.queued > 0 || files_after > files_before + 2) && performance.now() < drain_ends);
expect(engine && engine.busy === 0 && engine.queued === 0, `after the load: ${JSON.stringify(engine)}`);
expect(files_after <= files_before + 2, `open files: ${files_before} before, ${files_after} after`);
await server.stop();

// Growth: the last quarter against the second one; the first fills caches and pools.
const quarter = Math.floor(samples.length / 4);
const level = (from) => median(samples.slice(from * quarter, (from + 1) * quarter).map((s) => s.bytes)) / 2 ** 20;
const growth = quarter > 0 ? level(3) - level(1) : 0;
expect(growth <= growth_limit_mib, `memory grew by ${growth.toFixed(1)} MiB`);

const total = Object.values(counts).reduce((a, b) => a + b, 0);
const figures = [
  figure({ name: `soak, ${options.minutes} min: growth of memory`, unit: 'MiB', ours: [growth], target: { ours: growth_limit_mib, at: 'most' } }),
  figure({ name: `soak, ${options.minutes} min: requests`, unit: 'requests', ours: [total] }),
];
console.log(`answered ${counts.answered}, clients that left ${counts.left}, refused ${counts.refused}, other ${counts.other}`);
printTable(figures);
if (!options.no_results) console.error(`bench: written to ${writeResults('soak', { ...options, no_results: undefined }, figures)}`);
for (const failure of failures.slice(0, 10)) console.error(`bench: soak: ${failure}`);
process.exit(failures.length ? 1 : 0);
