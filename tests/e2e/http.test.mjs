import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { eventually, startServer, user } from './lib/server.mjs';
import { RawClient, randomFrom } from './lib/socket.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  const exit = await server?.stop();
  assert.deepEqual(exit, { code: 0, signal: null }, server?.stderr);
});

const chat = JSON.stringify({ model: 'starter', messages: [user('Hello!')], max_tokens: 4 });
const postChat = (body = chat, more = '') =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test('one connection serves many requests', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set();
  for (let i = 0; i < 5; ++i) {
    await new Promise((resolve, reject) => {
      http.get(`${server.url}/health`, { agent }, (response) => {
        ports.add(response.socket.localPort);
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  }
  agent.destroy();
  assert.equal(ports.size, 1);
});

test('every answer says who gave it and to which request', async () => {
  for (const path of ['/', '/health', '/metrics', '/v1/models', '/api/status', '/nothing']) {
    const response = await server.get(path);
    assert.equal(response.headers.get('x-starling-node'), server.nodeId, path);
    assert.match(response.headers.get('x-request-id'), /^req-[0-9a-f]{16}$/, path);
  }
  const named = await server.get('/health', { headers: { 'x-request-id': 'my.own-id_7' } });
  assert.equal(named.headers.get('x-request-id'), 'my.own-id_7');
  const bad = await server.get('/health', { headers: { 'x-request-id': 'a b<c>' } });
  assert.match(bad.headers.get('x-request-id'), /^req-/);
});

test('HEAD gives the headers of GET and no body', async () => {
  for (const path of ['/health', '/v1/models', '/']) {
    const head = await server.get(path, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.ok(Number(head.headers.get('content-length')) > 0);
    assert.equal(await head.text(), '');
  }
});

test('the status tells what the interface promises', async () => {
  const status = await server.json('/api/status');
  assert.equal(status.node_id, server.nodeId);
  assert.match(status.node_id, /^[0-9a-f]{64}$/);
  for (const key of ['name', 'version', 'mesh_id', 'role', 'health', 'models', 'engine', 'uptime_s']) {
    assert.ok(key in status, key);
  }
  for (const key of ['score', 'state', 'cpu', 'memory', 'queue']) {
    assert.ok(key in status.health, key);
  }
  assert.ok(status.health.score >= 0 && status.health.score <= 100);
  assert.equal(status.models[0].id, 'starter');
  assert.equal(status.models[0].state, 'ready');
  for (const key of ['source', 'requests', 'request_rate_per_min', 'last_active_s']) {
    assert.ok(key in status.models[0], key);
  }
  assert.ok(status.engine.slots >= 1);
  const [deployment] = await server.json('/api/deployments');
  assert.equal(deployment.model, 'starter');
  assert.equal(deployment.stages[0].first_layer, 0);
  assert.ok(deployment.stages[0].last_layer >= 1);
  const [self] = await server.json('/api/peers');
  assert.deepEqual([self.node_id, self.path, self.state], [server.nodeId, 'local', 'alive']);
});

test('metrics count what happens', async () => {
  await server.post('/v1/chat/completions', chat);
  const text = await (await server.get('/metrics')).text();
  for (const name of ['starling_http_requests_total', 'starling_generated_tokens_total', 'starling_slots', 'starling_queue_length',
    'starling_time_to_first_token_seconds_bucket', 'starling_process_resident_memory_bytes', 'starling_model_state']) {
    assert.match(text, new RegExp(`^${name}[{ ]`, 'm'));
  }
  assert.match(text, /starling_http_requests_total\{[^}]*route="\/v1\/chat\/completions"[^}]*status="200"[^}]*\} [1-9]/);
});

test('the start page is plain and fetches nothing from elsewhere', async () => {
  const page = await (await server.get('/')).text();
  assert.match(page, /Starling/);
  assert.doesNotMatch(page, /https?:\/\/(?!localhost|127\.0\.0\.1)/);
});

test('pipelined requests are answered in their order', async () => {
  const client = new RawClient(server.port);
  await client.send(postChat() + 'GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n' + 'GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  assert.ok(await client.waitForClose(30_000));
  const order = ['"chat.completion"', '"owned_by"', '"status":"ready"'].map((mark) => client.received.indexOf(mark));
  assert.ok(order.every((at) => at >= 0), client.received);
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
});

test('a body in two halves and Expect: 100-continue work', async () => {
  const client = new RawClient(server.port);
  await client.send(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: ${chat.length}\r\n\r\n`);
  assert.ok(await client.waitFor('100 Continue'));
  await client.send(chat.slice(0, 20));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.send(chat.slice(20));
  assert.ok(await client.waitFor('"finish_reason"', 30_000), client.received);
  client.close();
});

test('limits have their statuses', async () => {
  const huge = new RawClient(server.port);
  await huge.send('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n');
  assert.ok(await huge.waitFor('HTTP/1.1 413'), huge.received);
  assert.ok(huge.received.includes('"body_too_large"'));
  const wide = new RawClient(server.port);
  await wide.send(`GET /health HTTP/1.1\r\nhost: localhost\r\nx-wide: ${'w'.repeat(100_000)}\r\n\r\n`);
  assert.ok(await wide.waitFor('HTTP/1.1 431'), wide.received);
  assert.ok(wide.received.includes('"headers_too_large"'));
});

test('a host name that is not this machine is refused while no key is asked for', async () => {
  const client = new RawClient(server.port);
  await client.send('GET /v1/models HTTP/1.1\r\nhost: rebound.example\r\n\r\n');
  assert.ok(await client.waitFor('HTTP/1.1 403'), client.received);
  client.close();
});

test('a stream that nobody reads does not hold up the others', async () => {
  const silent = new RawClient(server.port);
  await silent.connected;
  silent.socket.pause();
  const body = JSON.stringify({ model: 'starter', messages: [user('Tell me a story.')], max_tokens: 2000, stream: true, ignore_eos: true });
  await silent.send(postChat(body));
  const answers = await Promise.all(Array.from({ length: 4 }, () => server.post('/v1/chat/completions', chat)));
  assert.ok(answers.every((a) => a.status === 200));
  silent.close();
  assert.ok(await eventually(async () => (await server.engine()).busy === 0));
});

const seeds = [
  postChat(),
  'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'GET /v1/models HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\nuser-agent: fuzz\r\n\r\n',
  'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1f\r\n{"prompt":"a","max_tokens":1   }\r\n0\r\n\r\n',
  'POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-length: 23\r\n\r\n{"input":["a","b","c"]}',
  'OPTIONS * HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\n\r\n',
];

/** A request with a few bytes changed, removed, repeated or put in. */
function mutate(random) {
  let bytes = [...Buffer.from(seeds[Math.floor(random() * seeds.length)])];
  const changes = 1 + Math.floor(random() * 8);
  for (let i = 0; i < changes; ++i) {
    const at = Math.floor(random() * bytes.length);
    const length = 1 + Math.floor(random() * 12);
    const kind = Math.floor(random() * 6);
    if (kind === 0) bytes[at] = Math.floor(random() * 256);
    if (kind === 1) bytes.splice(at, length);
    if (kind === 2) bytes.splice(at, 0, ...bytes.slice(at, at + length));
    if (kind === 3) bytes.splice(at, 0, ...Array.from({ length }, () => Math.floor(random() * 256)));
    if (kind === 4) bytes = bytes.slice(0, Math.max(1, at));
    if (kind === 5) bytes.splice(at, 0, ...Buffer.from(['\r\n', '\0', '{', '"', '-1', '99999999999', '\u00ff', ': '][Math.floor(random() * 8)]));
  }
  return Buffer.from(bytes);
}

test('1,000 malformed requests leave the node alive and well', async () => {
  const seed = Number(process.env.STARLING_SEED ?? 20240607);
  const random = randomFrom(seed);
  const statuses = {};
  for (let done = 0; done < 1000; done += 50) {
    await Promise.all(Array.from({ length: 50 }, async () => {
      const client = new RawClient(server.port);
      await client.send(mutate(random));
      await client.connected;
      client.socket.end();
      await client.waitForClose(5_000);
      for (const [, status] of client.received.matchAll(/HTTP\/1\.1 (\d{3})/g)) {
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
      client.close();
    }));
    assert.equal(server.exit, null, `the node ended; seed ${seed}\n${server.stderr}`);
  }
  assert.ok((statuses['400'] ?? 0) > 100, JSON.stringify(statuses));
  assert.equal(statuses['500'], undefined, `seed ${seed}: ${JSON.stringify(statuses)}`);
  assert.ok(await eventually(async () => (await server.engine()).busy === 0));
  const answer = await server.client.chat.completions.create(JSON.parse(chat));
  assert.ok(answer.choices[0].message.content.length > 0);
});
