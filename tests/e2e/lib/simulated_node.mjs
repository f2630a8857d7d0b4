// A node that is none: it serves the console's files and tells of a mesh of any size, for what real machines here cannot
// show (a thousand nodes, a very long conversation). Everything that the console does is tried with real nodes elsewhere.
//   node simulated_node.mjs DIST [NODES [PORT]]    to look at it in a browser
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const content_policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const places = ['desk', 'attic', 'laptop', 'mini', 'gaming', 'studio', 'kitchen', 'lab'];

/// The same numbers each time (mulberry32).
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function health(random) {
  const cpu = random() * 90;
  const memory = 20 + random() * 70;
  const queue = 50 + random() * 50;
  const score = (100 - cpu) * 0.4 + (100 - memory) * 0.4 + queue * 0.2;
  return { score, state: score > 60 ? 'healthy' : score >= 20 ? 'busy' : 'overloaded', cpu, memory, queue };
}

function node_row(index, random) {
  const id = Array.from({ length: 8 }, () => Math.floor(random() * 0x100000000).toString(16).padStart(8, '0')).join('');
  return {
    node_id: id,
    name: index < places.length ? places[index] : `${places[index % places.length]}-${Math.floor(index / places.length)}`,
    role: index % 7 === 6 ? 'client' : 'worker',
    state: index % 29 === 28 ? 'suspect' : index % 41 === 40 ? 'dead' : 'alive',
    rtt_ms: index === 0 ? 0 : 0.3 + random() ** 3 * 120,
    path: index === 0 ? 'local' : index % 5 === 4 ? 'relay' : 'direct',
    health: index % 41 === 40 ? null : health(random),
    models: index % 3 === 0 ? ['starter', 'qwen-7b-q4_k_m'] : ['starter'],
    version: '0.1.0',
  };
}

function chain(model, nodes, layers, state = 'serving') {
  const each = Math.ceil(layers / nodes.length);
  return {
    model,
    coordinator: nodes.at(-1).node_id,
    epoch: 2,
    state,
    reason: 'No machine that may take it has the 21.4 GB that the whole model needs; of the ways to cut it over the machines here this one is the fastest: 9.8 tokens per second.',
    stages: nodes.map((node, index) => ({
      node_id: node.node_id,
      name: node.name,
      first_layer: index * each,
      last_layer: Math.min(layers, (index + 1) * each) - 1,
      memory_bytes: 4_200_000_000 + index * 900_000_000,
      ms_per_token: 18.4 + index * 7.3,
      state: 'ready',
    })),
  };
}

export class SimulatedMesh {
  constructor(count, seed = 1) {
    this.random = numbers(seed);
    this.answer = sample_answer;
    this.pause_ms = 0;
    this.rows = Array.from({ length: count }, (_, index) => node_row(index, this.random));
    const [a, b, c, d] = this.rows;
    this.deployments = count >= 4 ? [chain('llama-70b-q4_k_m', [b, c, a], 80), chain('qwen-32b-q4_k_m', [d, b], 64, 'forming')] : [];
    this.models = [
      this.model('starter', 'ready', 17_600_000, 2048, 2),
      this.model('qwen-7b-q4_k_m', 'none', null, 8192, Math.ceil(count / 3)),
      this.model('llama-70b-q4_k_m', 'ready', 42_500_000_000, 8192, 0),
      this.model('mistral-7b-q5_k_m', 'on_disk', 5_130_000_000, 32768, 0),
      { ...this.model('gemma-9b-q4_k_m', 'loading', 5_760_000_000, 8192, 0), progress: 0.42 },
      { ...this.model('phi-broken', 'failed', 2_300_000_000, null, 0), failure: 'phi-broken.gguf ends after 1.1 GB of 2.3 GB; fetch it again.' },
    ];
    this.sharing = {
      in_mesh: true, sharing: true, reachable: true, listens: '0.0.0.0:9338', who: 'invite', may_invite: true,
      memory_bytes: 8_000_000_000, memory_total_bytes: 16_000_000_000, fixed: [],
    };
    this.requests = [{ code: '482 913', name: 'kitchen-pi', node_id: 'ab'.repeat(32), since_s: 12 }];
    this.log = ['starter is ready: 8 layers, 2048 tokens of context, from starter', 'attic (1f3a9c02) is connected', 'laptop (77ab0c11): refused: its certificate has expired', 'llama-70b-q4_k_m: goes on after 41 tokens at 9a41be07 (the connection was lost)']
      .map((message, seq) => ({ seq, time: new Date(Date.now() - 60_000 + seq * 9_000).toISOString(), level: ['info', 'info', 'warning', 'warning'][seq], message }));
  }

  model(id, here, size_bytes, context_length, nodes) {
    return {
      id, here, source: id, size_bytes, context_length, progress: here === 'ready' ? 1 : 0, requests: Math.floor(this.random() * 500),
      request_rate_per_min: Math.round(this.random() * 120) / 10, last_active_s: this.random() * 600, nodes,
      can_load: here === 'on_disk' || here === 'failed' || here === 'standby', can_unload: here === 'ready',
    };
  }

  status() {
    const [self] = this.rows;
    return {
      node_id: self.node_id, name: self.name, version: '0.1.0', mesh_id: 'c0'.repeat(32), role: 'worker', health: self.health,
      models: this.models.filter((one) => one.here === 'ready').map((one) => ({ id: one.id, state: 'ready', source: one.source, progress: 1, requests: 3, request_rate_per_min: 0.4, last_active_s: 9 })),
      engine: { slots: 4, busy: 1, queued: 0, tokens_per_s: 41.2 }, uptime_s: 3_712,
      peers: { alive: this.rows.length, known: this.rows.length },
      routing: { here: 41, to_peers: 12, moved_on: 1, resumed: 1, lost: 0, recent: [] }, demand: [],
    };
  }

  /// Changes the load of some nodes, and gives their rows.
  step(share = 0.2) {
    const changed = this.rows.filter((row) => row.health && this.random() < share);
    for (const row of changed) {
      row.health = health(this.random);
      if (row.path !== 'local') row.rtt_ms = Math.max(0.2, row.rtt_ms * (0.9 + this.random() * 0.2));
    }
    return changed;
  }

  history(node_id) {
    const now = Math.floor(Date.now() / 1000);
    const row = this.rows.find((one) => one.node_id === node_id) ?? this.rows[0];
    const { cpu, memory, queue } = row.health ?? health(this.random);
    // Backwards from what it is now.
    const walk = (value, step, low, high) => () => (value = Math.min(high, Math.max(low, value + (this.random() - 0.5) * step)));
    const [cpus, memories, queues, trips] = [walk(cpu, 9, 2, 98), walk(memory, 2, 10, 95), walk(queue, 5, 40, 100), walk(row.rtt_ms, row.rtt_ms / 8, 0, Infinity)];
    const samples = Array.from({ length: 240 }, (_, i) => {
      const [c, m, q] = [cpus(), memories(), queues()];
      return [now - i * 5, c, m, q, (100 - c) * 0.4 + (100 - m) * 0.4 + q * 0.2, row.path === 'local' ? null : trips()];
    }).reverse();
    return { node_id, interval_s: 5, samples };
  }
}

const about = (self) => ({
  version: '0.1.0', versions: [{ name: 'llama.cpp', version: 'v0.5.0' }, { name: 'Boost', version: '1.81' }],
  platform: 'Linux 6.1 x86_64, 8 cores, 32.0 GB', data_dir: '/home/ada/.local/share/starling', started_unix_s: 1_760_000_000,
  listens: [
    { what: 'API and console', protocol: 'tcp', address: '127.0.0.1:9337', who: 'programs on this machine' },
    { what: 'other nodes', protocol: 'udp', address: '0.0.0.0:9338', who: 'members of the mesh, and who has an invite' },
  ],
  contacts: [{ host: '192.168.1.7:9338', why: `member of the mesh: ${self.name}`, when: 'now' }],
});

const plan = (mesh) => {
  const [first] = mesh.deployments;
  return first
    ? { model: first.model, tokens_per_s: 9.8, total_tokens_per_s: 23.1, reason: first.reason, table: '', stages: first.stages }
    : { model: 'starter', tokens_per_s: 120, total_tokens_per_s: 300, reason: 'The whole model fits this machine.', table: '', stages: [{ node_id: mesh.rows[0].node_id, name: mesh.rows[0].name, first_layer: 0, last_layer: 7, memory_bytes: 60_000_000, ms_per_token: 8 }] };
};

const sample_answer = `A **lighthouse** keeper, in three parts:

1. He wakes at dusk.
2. He lights the lamp, whose focal length is $f = \\frac{1}{d_o} + \\frac{1}{d_i}$.
3. He waits.

| hour | ships |
|-----:|:------|
| 22   | two   |
| 23   | none  |

\`\`\`cpp
// One lamp, many ships.
for (const auto& ship : harbour.ships()) {
    if (!ship.sees(lamp)) { lamp.turn(); }
}
\`\`\`

$$E = mc^2$$

See [the harbour](https://example.org/harbour) and <b>no HTML</b>.
`;

/// Or until nobody reads the answer any more.
function pause(answer, ms) {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    answer.on('close', () => (clearTimeout(timer), done()));
  });
}

async function chat(request, answer, body, mesh) {
  const { messages } = JSON.parse(body);
  const asked = String(messages.at(-1)?.content ?? '');
  const text = asked.startsWith('echo ') ? asked.slice(5) : mesh.answer;
  answer.writeHead(200, { 'content-type': 'text/event-stream', 'x-starling-node': mesh.rows[0].node_id });
  const tell = (fields) => answer.write(`data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'starter', ...fields })}\n\n`);
  const pieces = text.match(/\S*\s*/g).filter((piece) => piece !== '');
  for (let i = 0; i < pieces.length && !answer.destroyed; ++i) {
    const moved = asked.includes('move') && i === Math.floor(pieces.length / 2);
    if (moved) await pause(answer, mesh.pause_ms); // until another machine goes on
    const { node_id, name } = mesh.rows[1] ?? mesh.rows[0];
    tell({ choices: [{ index: 0, delta: { content: pieces[i] }, finish_reason: null }], ...(moved ? { starling: { moved_to: { node_id, name }, cause: 'the connection was lost' } } : {}) });
    await new Promise((done) => setTimeout(done, 15));
  }
  tell({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  tell({ choices: [], usage: { prompt_tokens: 12, completion_tokens: pieces.length, total_tokens: 12 + pieces.length } });
  answer.end('data: [DONE]\n\n');
}

function events(request, answer, mesh, { interval_ms, share }) {
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  const tell = (event, data) => answer.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  tell('hello', { version: '0.1.0', node_id: mesh.rows[0].node_id, name: mesh.rows[0].name, may_change: true });
  tell('status', mesh.status());
  tell('peers', { set: mesh.rows, gone: [] });
  tell('deployments', mesh.deployments);
  tell('models', mesh.models);
  tell('sharing', mesh.sharing);
  tell('requests', mesh.requests);
  if (request.url.includes('logs=1')) tell('log', { lines: mesh.log });
  const ticking = setInterval(() => tell('peers', { set: mesh.step(share), gone: [] }), interval_ms);
  answer.on('close', () => clearInterval(ticking));
}

/// Listens on the loopback; { url, mesh, close() }.
export async function simulated_node({ dist, nodes = 8, port = 0, interval_ms = 1000, share = 0.2 }) {
  const mesh = new SimulatedMesh(nodes);
  const server = http.createServer(async (request, answer) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { pathname, searchParams } = new URL(request.url, 'http://node');
    const json = (value, status = 200) => {
      answer.writeHead(status, { 'content-type': 'application/json' });
      answer.end(JSON.stringify(value));
    };
    const wish = () => JSON.parse(body || '{}');
    const at = `${request.method} ${pathname}`;
    if (at === 'GET /api/events') return events(request, answer, mesh, { interval_ms, share });
    if (at === 'POST /v1/chat/completions') return chat(request, answer, body, mesh);
    if (at === 'POST /api/session') return json({ token: 'simulated' });
    if (at === 'GET /api/sharing') return json(mesh.sharing);
    if (at === 'POST /api/sharing') return json(Object.assign(mesh.sharing, wish()));
    if (at === 'POST /api/models') return json({ id: wish().model, state: 'loading' }, 202);
    if (at === 'GET /api/models') return json(mesh.models);
    if (at === 'GET /api/about') return json(about(mesh.rows[1] ?? mesh.rows[0]));
    if (at === 'GET /api/history') return json(mesh.history(searchParams.get('node_id')));
    if (at === 'POST /api/plan') return json(plan(mesh));
    if (at === 'POST /api/invites') {
      return json({ invite: `starling-invite-${'abcdefgh'.repeat(30)}`, role: wish().role ?? 'worker', expires_unix_s: Math.floor(Date.now() / 1000) + 86_400, addresses: ['192.168.1.5:9338'], this_machine_only: false });
    }
    if (at === 'POST /api/revocations') return json({});
    if (at === 'POST /api/requests') {
      mesh.requests = [];
      return json({});
    }
    try {
      const file = path.join(dist, path.normalize(pathname === '/' ? '/index.html' : pathname));
      const content = await readFile(file);
      answer.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream', 'content-security-policy': content_policy });
      answer.end(content);
    } catch {
      json({ error: { message: `There is nothing at ${at}.` } }, 404);
    }
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    mesh,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dist, nodes, port] = process.argv.slice(2);
  const { url } = await simulated_node({ dist, nodes: Number(nodes ?? 8), port: Number(port ?? 0) });
  console.log(url);
}
